"""What goes wrong: each fault is begun beside the workload, drawn from a seed, and healed again."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from common.ids import new
from common.outbox import stamped
from localnet import streams
from localnet.network import NATS, POSTGRES, STREAM_BYTES
from localnet.trouble import Trouble
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from tests.faults.book import Book
from tests.faults.network import Running, brisk, careful, until
from tests.toxics import Link

STREAMS_S = 10.0
GROWTH_BYTES = 64 * 2**20
SKEW_S = 295.0  # a call under way may add some


@dataclass
class Stage:
    """Where faults play.

    Shape: `planted` are the keys of the poison, to be found among the dead letters; `restored` the platforms
    that were put back from a copy; `told` is what was
    done, `broken` what failed while the fault lasted; `operator` gives a token that was issued just now;
    `went_back` is told of an observer whose database is older on purpose.
    """

    running: Running
    random: Random
    book: Book
    operator: Callable[[], Awaitable[str]]
    went_back: Callable[[str], None]
    planted: set[str] = field(default_factory=set)
    restored: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def say(self, what: str) -> None:
        self.told.append(what)

    @property
    def spokes(self) -> list[str]:
        return [node for node in self.running.nodes if node != "hub"]

    def link(self, node: str) -> Link:
        return self.running.links[node]


Begun = Callable[[Stage, float], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """Entered, it is begun; left, it is healed. It is given the seconds it has."""

    code: str
    zh: str
    en: str
    begin: Begun


FAULTS: dict[str, Fault] = {}


def fault(code: str, zh: str, en: str) -> Callable[[Callable[[Stage, float], AsyncIterator[None]]], Begun]:
    def register(act: Callable[[Stage, float], AsyncIterator[None]]) -> Begun:
        begin = contextlib.asynccontextmanager(act)
        FAULTS[code] = Fault(code, zh, en, begin)
        return begin

    return register


@contextlib.asynccontextmanager
async def beside(work: Any) -> AsyncIterator[None]:
    """Something goes on until it is left; what it raised is raised there."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@fault("F1", "随机 kill -9 服务、NATS、PostgreSQL", "kill -9 of services, NATS and PostgreSQL at random")
async def killed(stage: Stage, seconds: float) -> AsyncIterator[None]:
    victims = [*stage.running.nodes, NATS, POSTGRES]
    stage.random.shuffle(victims)

    async def work() -> None:
        for victim in victims:
            stage.running.do("kill", victim)
            stage.say(f"kill -9 {victim}")
            await asyncio.sleep(seconds / len(victims) * stage.random.uniform(0.5, 1.0))
        await asyncio.Event().wait()

    async with beside(work()):
        yield
    await stage.running.ready()


@fault("F2", "消息总线停机", "the bus is down")
async def bus_down(stage: Stage, seconds: float) -> AsyncIterator[None]:
    stage.running.do("stop", NATS)
    try:
        yield
    finally:
        stage.running.do("start", NATS)
    await stage.running.ready()


@fault("F3", "窗口数据库断开、重启", "a window's database ends every connection, then all of them restart")
async def databases_restart(stage: Stage, seconds: float) -> AsyncIterator[None]:
    async def work() -> None:
        while True:
            window = stage.random.choice(stage.running.windows)
            async with stage.running.administrator() as administrator:
                await administrator.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                    stage.running.database(window),
                )
            stage.say(f"end the connections of {window}")
            await asyncio.sleep(stage.random.uniform(0.1, 0.4))

    async with beside(work()):
        yield
    stage.running.do("restart", POSTGRES)
    await until(lambda: stage.running.pid(POSTGRES), STREAMS_S, lambda: "PostgreSQL does not start")
    await stage.running.ready()


@contextlib.asynccontextmanager
async def shut_out(running: Running, node: str) -> AsyncIterator[None]:
    """A node's database lets nobody in, and puts out who is in."""
    name = running.database(node)
    async with running.administrator() as administrator:
        await administrator.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
        await administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
    try:
        yield
    finally:
        async with running.administrator() as administrator:
            await administrator.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')


@fault(
    "F4",
    "枢纽与对接平台数据库停机，消息仍在到达",
    "the databases of the hub and of matchmaking are away while messages come",
)
async def readers_without_database(stage: Stage, seconds: float) -> AsyncIterator[None]:
    async with shut_out(stage.running, "hub"), shut_out(stage.running, "matchmaking"):
        yield
    await stage.running.ready()


@fault(
    "F5",
    "网络分区、抖动、重置、进程冻结",
    "partition, flapping, delay of 500 ± 300 ms, resets, frozen process",
)
async def partitioned(stage: Stage, seconds: float) -> AsyncIterator[None]:
    cut, slow, frozen = stage.random.sample(stage.spokes, 3)
    pid = stage.running.pid(frozen)
    if pid is None:
        raise RuntimeError(f"{frozen} does not run")
    stage.say(f"hang {cut}, delay {slow}, freeze {frozen}, reset the hub")
    stage.link(cut).hang()
    stage.link(slow).latency_s, stage.link(slow).jitter_s = 0.5, 0.3
    stage.link(slow).slice_bytes = 100

    async def work() -> None:
        os.kill(pid, signal.SIGSTOP)
        while True:
            stage.link("hub").reset()
            await asyncio.sleep(0.4)

    try:
        async with beside(work()):
            yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        for node in (cut, slow):
            stage.link(node).clear()
    await stage.running.ready()


@fault("F6", "慢消费者", "slow consumers: 8 KB/s to the hub and to matchmaking")
async def slow(stage: Stage, seconds: float) -> AsyncIterator[None]:
    """What waits for them waits at its owner and in the streams, never in the memory of somebody between."""
    running = stage.running
    before, dropped = running.memory(), await slow_consumers(running)
    for node in ("hub", "matchmaking"):
        stage.link(node).bytes_s = 8_000
    try:
        yield
        grown = {name: taken - before.get(name, taken) for name, taken in running.memory().items()}
    finally:
        for node in ("hub", "matchmaking"):
            stage.link(node).clear()
    most = max(grown, key=lambda name: grown[name])
    stage.say(f"{most} grew most, by {grown[most] / 2**20:.0f} MB")
    stage.broken += [
        f"{name} grew by {more / 2**20:.0f} MB while others were slow"
        for name, more in grown.items()
        if more > GROWTH_BYTES
    ]
    if (now := await slow_consumers(running)) != dropped:
        stage.broken.append(f"the broker has cut off {now - dropped} connections as too slow")


async def slow_consumers(running: Running) -> int:
    """How many connections the broker has cut off because they did not read."""
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        return (await client.get(f"http://127.0.0.1:{running.network.monitor_port}/varz")).json()[
            "slow_consumers"
        ]


async def publish(client: Client, subject: str, data: bytes, key: str) -> None:
    """Store a message under an id."""
    await client.jetstream(timeout=STREAMS_S).publish(subject, data, headers={"Nats-Msg-Id": key})


@fault("F7", "乱序、重复、整流重放", "total reordering, duplicates, replay of whole streams")
async def replayed(stage: Stage, seconds: float) -> AsyncIterator[None]:
    """What two platforms owe while cut off is sent in any order before they send it; then all there ever was again."""
    running = stage.running
    cut = stage.random.sample(running.platforms, 2)
    for node in cut:
        await stage.link(node).down()
    try:
        yield
        for node in cut:
            rows = await running.fetch(
                node,
                "SELECT type, envelope, feed_seq FROM outbox WHERE sent_at IS NULL AND feed = 'hub' AND feed_seq IS NOT NULL",
            )
            stage.random.shuffle(rows)
            stage.say(f"{len(rows)} of {node} in any order")
            async with running.speaking(node) as client:
                for row in rows:
                    data = stamped(row["envelope"], row["feed_seq"])
                    await publish(client, f"up.{node}.{row['type']}", data, str(new()))
    finally:
        for node in cut:
            await stage.link(node).up()
    async with running.speaking("hub") as hub:
        for name in [f"{way}_{node}" for node in stage.spokes for way in ("UP", "DOWN")]:
            await replay(stage, hub, name)


async def replay(stage: Stage, hub: Client, name: str, most: int = 150) -> None:
    """Messages of a stream once more, under new ids and in another order."""
    stream = hub.jetstream(timeout=STREAMS_S)
    state = (await stream.stream_info(name)).state
    numbers = list(range(max(state.first_seq, state.last_seq - most + 1, 1), state.last_seq + 1))
    stage.random.shuffle(numbers)
    for number in numbers:
        try:
            stored = await stream.get_msg(name, number)
        except NotFoundError:
            continue  # the broker left a number out when it was killed
        if (
            stored.data
            and stored.subject
            and not (stored.headers or {}).get("Nats-Msg-Id", "").startswith("poison")
        ):
            await publish(hub, stored.subject, stored.data, str(new()))
    stage.say(f"{len(numbers)} of {name} again")


def poison(stage: Stage, sender: str) -> dict[str, bytes]:
    """Messages that nobody can take, by what is wrong with them."""
    owner = next(node for node in stage.running.platforms if node != sender)
    envelope = {
        "specversion": "1.0", "id": str(new()), "type": "offering.published.v1", "source": sender,
        "subject": str(new()), "time": "2026-01-01T00:00:00Z", "entityversion": 1, "entityepoch": 1,
        "correlationid": str(new()), "data": {},
    }  # fmt: skip

    def wrong(**changes: Any) -> bytes:
        return json.dumps(envelope | {"id": str(new())} | changes).encode()

    return {
        "not-json": b"{",
        "not-utf-8": b"\xff\xfe\x00",
        "a-number-that-is-none": b'{"specversion": NaN}',
        "nested": b"[" * 3000 + b"]" * 3000,
        "no-envelope": b'{"hello": "world"}',
        "no-data": wrong(),
        "unknown-type": wrong(type="offering.exploded.v9"),
        "foreign-source": wrong(source=owner),
        "200-kb": wrong(data={"text": "x" * 200_000}),
    }  # fmt: skip


@fault("F8", "毒消息", "poison among the messages")
async def poisoned(stage: Stage, seconds: float) -> AsyncIterator[None]:
    for node in stage.spokes:
        async with stage.running.speaking(node) as client:
            for what, data in poison(stage, node).items():
                key = f"poison-{what}-{node}-{stage.random.randrange(10**9)}"
                stage.planted.add(key)
                await publish(client, f"up.{node}.offering.published.v1", data, key)
    async with stage.running.speaking("hub") as hub:
        for node in stage.spokes:
            for what in ("not-json", "no-envelope", "unknown-type"):
                key = f"poison-{what}-to-{node}-{stage.random.randrange(10**9)}"
                stage.planted.add(key)
                await publish(hub, f"down.{node}.offering.published.v1", poison(stage, node)[what], key)
    stage.say(f"{len(stage.planted)} in all streams")
    yield


@fault("F9", "总线磁盘已满", "the disk of the bus is full")
async def disk_full(stage: Stage, seconds: float) -> AsyncIterator[None]:
    """Its streams hold no more bytes than they have, which is what a broker with limits makes of a full disk."""
    running = stage.running
    names = [f"{way}_{node}" for node in stage.spokes for way in ("UP", "DOWN")]
    async with running.speaking("hub") as hub:
        stream = hub.jetstream(timeout=STREAMS_S)
        for name in names:
            info = await stream.stream_info(name)
            await stream.update_stream(info.config, max_bytes=max(info.state.bytes, 1))
    yield
    await provision(running)


async def provision(running: Running) -> None:
    """The streams as they should be: `hubnet provision`."""
    network = running.network
    streams.consumer = brisk  # as the network's own provisioning has it
    try:
        await streams.provision(
            network.bus_url,
            network.secrets.seed_file("hub"),
            network.topology.spokes,
            STREAM_BYTES,
            lambda *_: None,
        )
    finally:
        streams.consumer = careful


@fault(
    "F12",
    "总线存储损坏：翻转字节、截断、删除流",
    "a byte flipped, a file cut short and a stream deleted in the store of the bus",
)
async def store_damaged(stage: Stage, seconds: float) -> AsyncIterator[None]:
    """While the readers are cut off, so that what is damaged has not been read."""
    running = stage.running
    for node in ("hub", "matchmaking"):
        stage.link(node).hang()
    yield
    deleted, flipped, cut = stage.random.sample([f"UP_{node}" for node in running.platforms], 3)
    async with running.speaking("hub") as hub:
        await hub.jetstream(timeout=STREAMS_S).delete_stream(deleted)
    running.do("stop", NATS)
    await until(lambda: running.pid(NATS) is None, STREAMS_S, lambda: "the broker does not stop")
    stage.say(f"delete {deleted}, flip a byte of {flipped}, cut {cut} short")
    for name, damage in ((flipped, flip), (cut, shorten)):
        for path in sorted((running.network.folder.nats / "store").rglob(f"{name}/msgs/*.blk")):
            path.write_bytes(damage(stage.random, path.read_bytes()))
    running.do("start", NATS)
    await running.ready(NATS)
    await provision(running)
    for node in ("hub", "matchmaking"):
        stage.link(node).clear()
    await running.ready()


def flip(random: Random, data: bytes) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def shorten(random: Random, data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


@fault("F13", "时钟偏差 ±5 分钟并回跳", "clocks five minutes wrong either way, jumping back")
async def clocks_wrong(stage: Stage, seconds: float) -> AsyncIterator[None]:
    wrong = stage.random.sample(stage.running.nodes, 3)

    async def work() -> None:
        while True:
            side = stage.random.choice((-1, 1))  # no two clocks are further apart
            for node in wrong:
                offset = stage.random.choice((0, side * SKEW_S))
                stage.running.wrong_clock(node, offset)
                stage.say(f"{node} {offset:+.0f} s")
            await asyncio.sleep(0.1)  # until they look at it
            await signed_in(stage)
            await asyncio.sleep(seconds / 3)

    try:
        async with beside(work()):
            yield
    finally:
        for node in wrong:
            stage.running.wrong_clock(node, 0)


async def signed_in(stage: Stage) -> None:
    """Whoever signs in now is let in everywhere, whatever the clocks say."""
    told = ", ".join(stage.told[-3:])
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=4) as client:
        with contextlib.suppress(Trouble, httpx.TransportError):  # the hub is away
            headers = {"Authorization": f"Bearer {await stage.operator()}"}
            for node in stage.running.platforms:
                said = await client.get(f"{stage.running.endpoints.urls[node]}/v1/providers", headers=headers)
                if said.status_code == 401:
                    stage.broken.append(
                        f"{node} refused a token that was issued just now ({told}): {said.text}"
                    )
