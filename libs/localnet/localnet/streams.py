"""Streams and consumers of the bus, made by this one step and never by services."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
from common.node import Node
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from localnet.natsconf import down, inbox, up
from localnet.trouble import Trouble

DAY_S = 86_400
AT_ONCE = 16  # more only queue behind the broker's fsync
TRIES = 30  # of a second each
PAGE = 256  # what one listing call answers at most


@dataclass(frozen=True)
class Stream:
    """One stream and the one durable consumer that reads it."""

    config: StreamConfig
    consumer: ConsumerConfig


def wanted(nodes: Iterable[Node], max_bytes: int, replicas: int = 1) -> list[Stream]:
    """The two streams of every node: what it says, read by the hub, and what it hears."""
    return [
        Stream(stream(name, subject, max_bytes, replicas), consumer(reader))
        for node in nodes
        for name, subject, reader in (
            (up(node), f"up.{node.id}.>", "hub"),
            (down(node), f"down.{node.id}.>", node.id),
        )
    ]


def stream(name: str, subject: str, max_bytes: int, replicas: int) -> StreamConfig:
    """Never with `persist_mode`: its async form silently switches the broker's fsync off."""
    return StreamConfig(
        name=name,
        subjects=[subject],
        storage=StorageType.FILE,
        # What its reader has acknowledged is in a database, and goes: kept, it would fill the stream within
        # hours of work, and a full one refuses until the oldest is two weeks old.
        retention=RetentionPolicy.INTEREST,
        max_age=14 * DAY_S,
        max_bytes=max_bytes,
        discard=DiscardPolicy.NEW,  # a full stream refuses; the message stays in its sender's outbox
        duplicate_window=600,
        deny_delete=True,
        deny_purge=True,
        num_replicas=replicas,
    )


def consumer(reader: str) -> ConsumerConfig:
    """Without a delivery limit: one would lose messages while a database is away."""
    return ConsumerConfig(
        durable_name=reader,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        # What a process that was killed had fetched comes again after this; a second delivery is harmless.
        ack_wait=5,
        max_deliver=-1,
        backoff=[5, 15, 60, 300],  # its first step is the ack wait
        max_ack_pending=256,
        max_waiting=8,
    )


def differs(want: Any, have: Any) -> list[str]:
    """The fields of a configuration that we set and the broker has otherwise."""
    here, there = want.as_dict(), have.as_dict()
    return [name for name, value in here.items() if there.get(name) != value]


async def connect(url: str, seed_file: Path, tls: ssl.SSLContext | None = None) -> Client:
    """As the hub.

    Raises: Trouble when the broker is away or refuses the key.
    """
    refused: list[str] = []

    async def note(error: Exception) -> None:
        refused.append(str(error))

    try:
        return await nats.connect(
            url.split(","),
            name="provisioning",
            nkeys_seed=str(seed_file),
            inbox_prefix=inbox("hub").encode(),
            tls_handshake_first=tls is not None,
            allow_reconnect=False,
            connect_timeout=5,
            error_cb=note,
            tls=tls,
        )
    except (NatsError, OSError, TimeoutError) as error:
        said = "; ".join(refused) or str(error) or type(error).__name__
        raise Trouble(
            (f"连不上消息服务器 {url}：{said}", f"the broker {url} did not accept us: {said}"),
            (
                "它须使用由本目录密钥生成的配置",
                "it must run the configuration generated from this folder's keys",
            ),
            ("重新启动 nats：hubnet restart nats", "restart it: hubnet restart nats"),
        ) from error


async def provision(
    url: str,
    seed_file: Path,
    nodes: Iterable[Node],
    max_bytes: int,
    progress: Callable[[int, int], None],
    tls: ssl.SSLContext | None = None,
    replicas: int = 1,
) -> None:
    """Make or correct every stream and consumer; one listing call each when all is well.

    Raises: Trouble.
    """
    connection = await connect(url, seed_file, tls)
    try:
        await listening(connection)
        js = connection.jetstream(timeout=20)
        streams = wanted(nodes, max_bytes, replicas)
        await in_turns(
            [lambda s=s: settle(js, s) for s in await lacking(js, streams, progress)], progress, len(streams)
        )
    finally:
        await connection.close()


async def listening(connection: Client) -> None:
    """Wait until JetStream answers: a cluster that has just begun drops what it is asked."""
    for _ in range(TRIES):
        with contextlib.suppress(NatsError, TimeoutError, asyncio.TimeoutError):
            await connection.jetstream(timeout=1).account_info()
            return


async def lacking(
    js: JetStreamContext, streams: list[Stream], progress: Callable[[int, int], None]
) -> list[Stream]:
    """Those that are absent or different, or whose consumer is."""
    there: dict[str, Any] = {}
    while len(page := await js.streams_info(offset=len(there))) > 0:
        there |= {str(info.config.name): info for info in page}
        if len(page) < PAGE:
            break
    wrong = [
        s for s in streams if s.config.name not in there or differs(s.config, there[s.config.name].config)
    ]
    right = [s for s in streams if s not in wrong]
    held = await asyncio.gather(*(js.consumers_info(str(s.config.name)) for s in right))
    for s, infos in zip(right, held, strict=True):
        found = [info.config for info in infos if info.name == s.consumer.durable_name]
        if not found or differs(s.consumer, found[0]):
            wrong.append(s)
    progress(len(streams) - len(wrong), len(streams))
    return wrong


async def settle(js: JetStreamContext, s: Stream) -> None:
    """Make one stream and its consumer as wanted.

    Raises: Trouble when the broker refuses the change.
    """
    try:
        try:
            found = (await js.stream_info(str(s.config.name))).config
        except NotFoundError:
            await js.add_stream(s.config)
        else:
            if differs(s.config, found):
                await js.update_stream(s.config)
        await js.add_consumer(str(s.config.name), s.consumer)  # same name: created, equal or updated
    except NatsError as error:
        raise Trouble(
            (
                f"消息流 {s.config.name} 无法配置：{error}",
                f"stream {s.config.name} cannot be configured: {error}",
            ),
            ("已有的流须能改成所需配置", "an existing stream must take the wanted configuration"),
            (
                "停止网络，移走数据目录下的 nats/store，再启动；各发件箱会重发",
                "stop the network, move nats/store in the data folder away, start again; the outboxes send again",
            ),
        ) from error


async def in_turns(
    jobs: list[Callable[[], Awaitable[None]]], progress: Callable[[int, int], None], total: int
) -> None:
    """Run jobs, a few at once."""
    gate = asyncio.Semaphore(AT_ONCE)
    done = total - len(jobs)

    async def one(job: Callable[[], Awaitable[None]]) -> None:
        nonlocal done
        async with gate:
            await job()
        done += 1
        progress(done, total)

    await asyncio.gather(*(one(job) for job in jobs))
