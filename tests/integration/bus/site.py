"""A window at another site: the broker speaks TLS, and between the two stands a line that can fail."""

import asyncio
import contextlib
import itertools
import time
from dataclasses import replace

import httpx
import yaml
from common import credentials, migrate
from common.runtime import Runtime
from common.settings import Settings
from hub.nodes.consumers import heartbeats
from joserfc import jwt
from joserfc.jwk import ECKey
from localnet import rotation, streams
from localnet.broker import EmbeddedBroker
from localnet.certificates import Authority, clock
from localnet.natsconf import BROKER
from localnet.network import Network
from localnet.paths import Folder
from localnet.settings import settings_for
from reference import credit_code
from window.app import create_app

from tests import servers, toxics
from tests.integration.platform import copied, migrated

KEY = ECKey.generate_key("P-256", {"kid": "test"})
NODES = ("hub", "hohhot", "matchmaking")
WITHIN_S = 30
codes = itertools.count(1)


async def until(true, *, within=WITHIN_S):
    """Wait for a condition, and say what it was when it does not come."""
    async with asyncio.timeout(within):
        while True:
            found = true()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.05)


class Site:
    """Hohhot behind its line, and a hub beside the broker that writes down what it hears, in order."""

    def __init__(self, network, server, hub, window, line):
        self.network, self.server, self.hub, self.window, self.line = network, server, hub, window, line
        self.bus = window.state.runtime.bus
        self.authority = Authority(network.folder.certificates)
        claims = {
            "iss": window.state.runtime.settings.token_issuer, "aud": "hubnet", "sub": "sme-1",
            "roles": ["sme"], "exp": int(time.time()) + 10**8,
        }  # fmt: skip
        token = jwt.encode({"alg": "ES256", "kid": "test"}, claims, KEY)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(window), base_url="http://window.test", timeout=10,
            headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"},
        )  # fmt: skip
        self.enterprise = None

    async def work(self, count):
        """Demands that the window takes, whatever its line does; each answer comes within its time."""
        if self.enterprise is None:
            profile = {
                "name": "示例乳品", "credit_code": credit_code.complete(f"91150100{next(codes):09d}"),
                "division": "150105", "industry": "1441", "employees": 46, "revenue_cents": 10**9,
                "contact_name": "示例", "contact_phone": "13900000000", "contact_email": "e@secret.example",
            }  # fmt: skip
            answer = await self.http.post("/v1/enterprises", json=profile)
            assert answer.status_code == 201, answer.text
            self.enterprise = answer.json()["id"]
        for _ in range(count):
            draft = {
                "enterprise_id": self.enterprise, "title": "乳制品检验检测", "text": "每月送检",
                "needed_by": "2099-01-01", "budget": {"from_cents": 1, "to_cents": 2}, "must_haves": [],
            }  # fmt: skip
            answer = await self.http.post("/v1/demands", json=draft)
            assert answer.status_code == 201, answer.text

    async def ready(self):
        """What the window says of itself: (works, why the bus is away or None)."""
        answer = await self.http.get("/readyz")
        body = answer.json()
        assert (body["degraded"] == ["bus"]) == bool(body["why"])
        return answer.status_code == 200, body["why"].get("bus", {}).get("code")

    async def says(self, *codes):
        """Wait until the window names one of these reasons, still taking work."""
        await until(lambda: self.says_now(*codes))
        works, _ = await self.ready()
        assert works
        await self.work(2)

    async def says_now(self, *codes):
        return (await self.ready())[1] in codes

    async def whole(self):
        """After healing: the hub's database has everything the window owes, in the order it was said."""
        await until(lambda: self.says_now(None))
        await until(self._caught_up)
        rows = await self.rows("SELECT feed_seq FROM heard WHERE source = 'hohhot' ORDER BY id")
        heard = [row["feed_seq"] for row in rows]
        assert heard == list(range(1, len(heard) + 1))

    async def _caught_up(self):
        runtime = self.window.state.runtime
        async with runtime.sessions() as session:
            connection = (await (await session.connection()).get_raw_connection()).driver_connection
            owed = await connection.fetchval("SELECT count(*) FROM outbox WHERE sent_at IS NULL")
            said = await connection.fetchval("SELECT last_seq FROM feeds_out WHERE feed = 'hub'")
        applied = await self.rows("SELECT applied_seq FROM feeds_in WHERE source = 'hohhot'")
        return owed == 0 and [row["applied_seq"] for row in applied] == [said]

    async def rows(self, query):
        async with self.hub.sessions() as session:
            connection = (await (await session.connection()).get_raw_connection()).driver_connection
            return await connection.fetch(query)

    def reload(self):
        rotation.reload(self.network, {self.server.name: self.server.pid})

    async def mend(self):
        """Everything as at the start, whatever a test has left."""
        self.line.clear()
        await self.line.up()
        for holder in (BROKER, "hohhot"):
            if self.authority.read(holder).days(clock()) < 1:
                self.authority.issue(holder)
        self.reload()
        await until(lambda: self.says_now(None))


def small(folder):
    """A network of three nodes with certificates."""
    listed = yaml.safe_load(servers.TOPOLOGY.read_text(encoding="utf-8"))
    listed["nodes"] = [node for node in listed["nodes"] if node["id"] in NODES]
    made = Folder(folder).make()
    path = made.root / "topology.yaml"
    path.write_text(yaml.safe_dump(listed, allow_unicode=True), encoding="utf-8")
    network = Network(folder=made, topology_path=path, port_base=servers.free_base(), tls=True).limited()
    network.secrets.make(NODES)
    Authority(made.certificates).ensure(NODES)
    return network


@contextlib.asynccontextmanager
async def listening_hub(network, database):
    """A hub that keeps a list of what it heard, made in the transaction that handled it."""

    async def note(tx, message):
        connection = (await (await tx.connection()).get_raw_connection()).driver_connection
        query = "INSERT INTO heard (source, feed_seq) VALUES ($1, $2)"
        await connection.execute(query, message.envelope.source, message.envelope.feedseq)

    runtime = Runtime(settings(network, "hub", database), (("*", note),), release="0", jobs=(heartbeats,))
    async with runtime.sessions.begin() as tx:
        connection = (await (await tx.connection()).get_raw_connection()).driver_connection
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS heard (id bigserial, source text, feed_seq bigint)"
        )
    runtime.verifier.fetch = keys
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop()


@contextlib.asynccontextmanager
async def served(network, database, url):
    """The window, whose bus is behind a URL of its own."""
    app = create_app(settings(network, "hohhot", database).model_copy(update={"nats_url": url}))
    app.state.runtime.verifier.fetch = keys
    await app.state.runtime.start()
    try:
        yield app
    finally:
        await app.state.runtime.stop()


def settings(network, node, database) -> Settings:
    told = settings_for(network, network.topology.node(node))
    return told.model_copy(
        update={"database_url": database, "heartbeat_s": 0.5, "calls_per_minute": 10**6, "pepper_file": None}
    )


async def keys():
    return {"keys": [KEY.as_dict(private=False)]}


@contextlib.contextmanager
def templates():
    """Migrated databases of a hub and of a window, to copy."""
    with migrated(migrate.PACKAGES["hub"]) as hub, migrated(migrate.PACKAGES["window"]) as window:
        yield hub, window


@contextlib.asynccontextmanager
async def site(line_to, hub_template, window_template):
    """The whole of it.

    Shape: `line_to(network, server)` is a context that starts the broker and gives the line to it and its
    URLs for the hub and for the window.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.folder())
        network = small(folder)
        server = EmbeddedBroker(network)
        async with contextlib.AsyncExitStack() as later:
            line, near, far = await later.enter_async_context(line_to(network, server))
            stack.callback(server.stop)
            hub = settings_for(network, network.topology.hub)
            await provide(network, near, hub)
            at_hub = await later.enter_async_context(copied(hub_template))
            at_window = await later.enter_async_context(copied(window_template))
            runtime = await later.enter_async_context(listening_hub(replace(network, nats_url=near), at_hub))
            app = await later.enter_async_context(served(network, at_window, far))
            made = Site(network, server, runtime, app, line)
            later.push_async_callback(made.http.aclose)
            yield made


@contextlib.asynccontextmanager
async def through_a_proxy(network, server):
    """The broker here, a proxy with toxics before it."""
    server.start()
    async with toxics.link(network.bus_url) as line:
        yield line, network.bus_url, line.url("tls")


async def provide(network, url, hub):
    await streams.provision(
        url, network.secrets.seed_file("hub"), network.topology.spokes, 8 * 2**20, lambda done, total: None,
        credentials.tls(hub),
    )  # fmt: skip
