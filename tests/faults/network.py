"""A small network of real processes for one run of faults; gone when this process is."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import nats
import nats.errors
import yaml
from localnet import preflight, streams
from localnet.commands.session import ask_down
from localnet.control import Connection
from localnet.endpoints import Endpoints
from localnet.network import NATS, POSTGRES, Network
from localnet.paths import Folder
from localnet.privileges import remove_data
from localnet.trouble import Trouble
from nats.aio.client import Client
from nats.js.api import ConsumerConfig

from tests import servers
from tests.faults import disks
from tests.faults.disks import Disk
from tests.toxics import Link, link

NODES = ("hub", "hohhot", "baotou", "hohhot-dairy", "matchmaking")
UP_S = 120.0
READY_S = 60.0
SIGN_INS = 5
# Everything that waits on purpose waits less here, so that a round is seconds and not minutes.
AGAIN_S = (1, 1, 2, 4)
BRISK = {
    "HUBNET_EMBEDDINGS": "off",
    "HUBNET_CALLS_PER_MINUTE": "100000000",
    "HUBNET_HEARTBEAT_S": "0.5",
    "HUBNET_RECEIPT_AFTER_S": "3",
}

# How a connection ends whose server, or whose database, is taken away.
ENDED = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.InternalClientError)
careful = streams.consumer


def brisk(reader: str) -> ConsumerConfig:
    """The consumer of a stream as it should be, but for how soon a message comes again."""
    return careful(reader).evolve(ack_wait=AGAIN_S[0], backoff=list(AGAIN_S))


class Running:
    """What the harness does to the network and reads of it."""

    def __init__(self, network: Network, links: dict[str, Link], disk: Disk | None):
        self.network, self.links, self.disk = network, links, disk
        self.faults = network.folder.root / "faults"
        self.http = httpx.AsyncClient(trust_env=False, verify=False, timeout=10)
        self.left_alone: set[str] = set()
        self._kept: dict[str, asyncpg.Connection] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints.of(self.network)

    @property
    def nodes(self) -> list[str]:
        return [node.id for node in self.network.nodes]

    @property
    def platforms(self) -> list[str]:
        """Those that own offerings."""
        return [node.id for node in self.network.nodes if node.kind in ("window", "cluster")]

    @property
    def windows(self) -> list[str]:
        return [node.id for node in self.network.nodes if node.kind == "window"]

    def start(self) -> None:
        """Bring it up and hold it.

        Raises: Trouble.
        """
        folder = self.network.folder.make()
        (self.faults / "ways").write_text(json.dumps({node: one.url() for node, one in self.links.items()}))
        plan = folder.run / "plan.json"
        plan.write_text(json.dumps(self.network.as_json()), encoding="utf-8")
        # Settings of whoever runs the suite must not change what is tried.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HUBNET_")}
        environment |= BRISK
        found = [str(servers.ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment |= {"FAULTS_FOLDER": str(self.faults), "PYTHONPATH": os.pathsep.join(found)}
        read_end, write_end = os.pipe()
        with folder.log("supervisor").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.faults.entry", str(plan), str(write_end)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write_end], env=environment,
                start_new_session=True,
            )  # fmt: skip
        os.close(write_end)
        with os.fdopen(read_end, "rb") as report:
            line = report.readline()
        said = json.loads(line) if line else {}
        if "pid" not in said:
            raise RuntimeError(f"the network did not start: {said} {self.log('supervisor')}")
        # Whoever holds it and goes away, however that ends, takes it down.
        self._held, self._orders = Connection(folder), Connection(folder)
        deadline = time.monotonic() + UP_S
        for snapshot in self._held.watch(hold=True):
            if snapshot["trouble"]:
                raise Trouble.from_json(snapshot["trouble"])
            if snapshot["phase"] == "up":
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"not up after {UP_S} s: {snapshot}")
        # Its snapshots are read for ever: to a holder that does not listen the supervisor says good-bye.
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while self._held.receive() is not None:
                continue

    def stop(self) -> None:
        """Its data is thrown away, so PostgreSQL need not bring it to the disk."""
        told = False
        with Connection(self.network.folder) as connection:
            connection.send(do="down")
            while (snapshot := connection.receive()) is not None:
                left = {row["node"]: row["pid"] for row in snapshot["members"] if row["pid"]}
                if not told and left.keys() <= {POSTGRES, NATS} and POSTGRES in left:
                    os.kill(left[POSTGRES], signal.SIGQUIT)
                    told = True
        ask_down(self.network.folder)
        self._held.link.close()
        self._orders.link.close()

    def log(self, name: str, last: int = 2000) -> str:
        try:
            return self.network.folder.log(name).read_text(errors="replace")[-last:]
        except FileNotFoundError:
            return ""

    def unforeseen(self) -> list[str]:
        """What services have called so in their logs: who, at which path, and the exceptions."""
        found: list[str] = []
        for node in self.nodes:
            for line in self.log(node, 10**7).splitlines():
                if '"event": "unforeseen"' in line:
                    said = json.loads(line)
                    raised = [f"{one['exc_type']}: {one['exc_value'][:200]}" for one in said["exception"]]
                    found.append(f"{node} {said['path']} {' < '.join(raised)}")
        return found

    def do(self, verb: str, node: str) -> bool:
        """Whether the supervisor did it: a dead process cannot be killed."""
        try:
            self._orders.ask(do=verb, node=node)
            return True
        except Trouble:
            return False

    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["node"]: row for row in self._orders.ask(do="status")["members"]}

    def pid(self, node: str) -> int | None:
        return self.rows()[node]["pid"]

    def memory(self) -> dict[str, int]:
        """Bytes that each service and the broker have written and share with nobody."""
        found: dict[str, int] = {}
        for name, row in self.rows().items():
            if name != POSTGRES and row["pid"]:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    lines = Path(f"/proc/{row['pid']}/smaps_rollup").read_text().splitlines()
                    (own,) = [line.split()[1] for line in lines if line.startswith("Private_Dirty:")]
                    found[name] = int(own) * 1024
        return found

    async def ready(self, *nodes: str) -> None:
        """Every one of them, or all, answers that it is ready."""
        wanted = nodes or (*self.nodes, POSTGRES, NATS)

        def up() -> bool:
            rows = self.rows()
            return all(rows[node]["state"] == "ready" for node in wanted)

        await until(up, READY_S, lambda: str({n: r["state"] for n, r in self.rows().items()}))

    async def restart(self, node: str) -> None:
        before = self.pid(node)
        self.do("restart", node)
        await until(lambda: self.pid(node) not in (before, None), READY_S, lambda: f"{node} does not restart")
        await self.ready(node)

    def suffer(
        self, node: str, *, bug: str | None = None, without_digests: bool = False, **settings: Any
    ) -> None:
        """What a node is to suffer from its next start on."""
        plan = {"bug": bug, "without_digests": without_digests, "settings": settings}
        replace(self.faults / f"plan-{node}", plan)

    def misconfigure(self, exchanged: dict[str, str]) -> None:
        """Settings of the broker that are to be others from its next start on."""
        replace(self.faults / "broker", exchanged)

    def wrong_clock(self, node: str, offset_s: float) -> None:
        """Set a running service's clock wrong, or right again by 0."""
        replace(self.faults / f"clock-{node}", {"offset_s": offset_s})

    def superuser_url(self, database: str) -> str:
        return urlsplit(self.network.superuser_url)._replace(path=f"/{database}").geturl()

    def database(self, node: str) -> str:
        return self.network.topology.node(node).database

    @contextlib.asynccontextmanager
    async def administrator(self) -> AsyncIterator[asyncpg.Connection]:
        async with _connected(self.superuser_url("postgres")) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def inside(self, node: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection to a node's database, past all its doors."""
        async with _connected(self.superuser_url(self.database(node))) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def reading(self, node: str) -> AsyncIterator[asyncpg.Connection]:
        """The one connection that is kept for looking; signing in at every look would take a core."""
        if node in self.left_alone:
            raise ConnectionRefusedError(node)
        async with self._turns.setdefault(node, asyncio.Lock()):
            kept = self._kept.pop(node, None)
            if kept is None or kept.is_closed():
                kept = await asyncpg.connect(self.superuser_url(self.database(node)), timeout=5)
            try:
                yield kept
            except BaseException:
                kept.terminate()
                raise
            self._kept[node] = kept

    async def fetch(self, node: str, query: str, *values: Any) -> list[asyncpg.Record]:
        for _ in range(2):  # the connection that was kept may be of a server that has died since
            with contextlib.suppress(asyncpg.PostgresConnectionError, asyncpg.InterfaceError, *ENDED):
                async with self.reading(node) as connection:
                    return await connection.fetch(query, *values)
        async with self.reading(node) as connection:
            return await connection.fetch(query, *values)

    @contextlib.asynccontextmanager
    async def alone(self, node: str) -> AsyncIterator[None]:
        """Nobody of ours looks at a node's database meanwhile."""
        self.left_alone.add(node)
        try:
            async with self._turns.setdefault(node, asyncio.Lock()):
                if (kept := self._kept.pop(node, None)) is not None:
                    kept.terminate()
            yield
        finally:
            self.left_alone.discard(node)

    async def close(self) -> None:
        for kept in self._kept.values():
            kept.terminate()
        await self.http.aclose()

    @contextlib.asynccontextmanager
    async def speaking(self, node: str) -> AsyncIterator[Client]:
        """A connection to the broker with a node's own key, straight."""
        client = await self._connected(node)
        try:
            yield client
        finally:
            await client.close()

    async def _connected(self, node: str) -> Client:
        """On a busy machine the broker may give up on a client that is slow to say who it is."""
        for _ in range(SIGN_INS):
            with contextlib.suppress(OSError, nats.errors.Error):
                return await self._connect(node)
        return await self._connect(node)

    async def _connect(self, node: str) -> Client:
        return await nats.connect(
            self.network.bus_url,
            nkeys_seed=str(self.network.secrets.seed_file(node)),
            inbox_prefix=f"_INBOX_{node}".encode(),
            allow_reconnect=False,
        )


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        yield connection
    finally:
        await connection.close(timeout=2)


def replace(path: Path, said: dict[str, Any]) -> None:
    """A file that is read at any moment is never seen half written."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(said), encoding="utf-8")
    draft.replace(path)


async def until(
    look: Callable[[], Any], limit_s: float, why: Callable[[], str], pause_s: float = 0.05
) -> Any:
    """Look until there is something to see.

    Raises: AssertionError saying why not.
    """
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_s:.0f} s: {why()}")
        await asyncio.sleep(pause_s)
    return found


@contextlib.asynccontextmanager
async def started(
    nodes: Sequence[str] = NODES, *, seed: int = 0, plan: dict[str, Any] | None = None, disk: bool = False
) -> AsyncIterator[Running]:
    """A network of these nodes that is stopped and deleted at the end; each reaches the broker by a link.

    Shape: `plan` is what every node suffers from the start, see `suffer`; with `disk` its servers' data lie on
    one of their own, which can fail.
    """
    async with contextlib.AsyncExitStack() as stack:
        place = stack.enter_context(servers.folder())
        place.mkdir()
        own = stack.enter_context(disks.mounted(place)) if disk else None
        listed = yaml.safe_load(servers.TOPOLOGY.read_text(encoding="utf-8"))
        listed["nodes"] = [node for node in listed["nodes"] if node["id"] in nodes]
        topology = place / "topology.yaml"
        topology.write_text(yaml.safe_dump(listed, allow_unicode=True), encoding="utf-8")
        network = Network(folder=Folder(place), topology_path=topology, port_base=servers.free_base())
        links = {
            node.id: await stack.enter_async_context(link(network.bus_url, seed=seed))
            for node in network.nodes
        }
        running = Running(network, links, own)
        running.faults.mkdir()
        for node in running.nodes:
            running.suffer(node, **(plan or {}))
        try:
            await asyncio.to_thread(running.start)
            yield running
        finally:
            await running.close()
            if preflight.held(network.folder):
                await asyncio.to_thread(running.stop)
            remove_data(network.folder.postgres)
