"""Beats come as requests on `hb.<node>`; nothing stores them."""

import asyncio
from collections.abc import Awaitable, Callable

from common import log
from common.errors import Unavailable
from common.runtime import Job, Runtime, every
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from hub.fences.domain import Fences
from hub.members.domain import Membership
from hub.nodes.service import SUBJECT, Listener, overview

WRITE_EVERY_S = 1.0
FIGURES_EVERY_S = 5.0


def heartbeats(fences: Fences) -> Job:
    """A job that answers beats for ever and writes them down once a second."""

    async def heartbeats(runtime: Runtime) -> None:
        if runtime.settings.nkey_seed_file is not None:
            await _listen(runtime, Listener(runtime.settings.network, fences))

    return heartbeats


async def _listen(runtime: Runtime, listener: Listener) -> None:

    async def hear(message: Msg) -> None:
        receipt = listener.hear(message.subject, message.data, runtime.clock())
        if receipt is not None and message.reply:
            try:
                await message.respond(receipt)
            except (NatsError, OSError):
                return  # the next beat is answered anew

    await _write(runtime, listener)
    # Of the hub's processes one answers each beat.
    await runtime.bus.subscribe(f"{SUBJECT}.*", hear, queue="hub")
    while True:
        await asyncio.sleep(WRITE_EVERY_S)
        await _write(runtime, listener)


async def _write(runtime: Runtime, listener: Listener) -> None:
    try:
        async with runtime.transaction() as tx:
            await listener.write(tx, at=runtime.clock())
    except Unavailable as error:
        log.get("heartbeats").info("beats-not-written", error=error.code)


def figures(registry: CollectorRegistry, known: Callable[[AsyncSession], Awaitable[Membership]]) -> Job:
    """A job that keeps each node's figures here: whoever is behind a firewall cannot be asked."""
    lag = Gauge("node_lag", "A node's messages that are not applied here", ("node",), registry=registry)
    owed = Gauge("node_owed", "Messages for a node without its receipt", ("node",), registry=registry)
    heard = Gauge("node_heard_timestamp_seconds", "A node's last beat", ("node",), registry=registry)

    async def figures(runtime: Runtime) -> None:
        async with runtime.transaction() as tx:
            views = await overview(tx, (await known(tx)).network, at=runtime.clock())
        for gauge in (lag, owed, heard):
            gauge.clear()  # of one that has left
        for view in views:
            if view.heard is not None:
                lag.labels(view.node.id).set(view.lag or 0)
                owed.labels(view.node.id).set(view.owed)
                heard.labels(view.node.id).set(view.heard.heard_at.timestamp())

    return every(FIGURES_EVERY_S, figures, everywhere=True)
