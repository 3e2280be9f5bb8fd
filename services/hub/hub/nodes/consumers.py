"""Beats come as requests on `hb.<node>`; nothing stores them."""

import asyncio

from common import log
from common.errors import Unavailable
from common.runtime import Job, Runtime
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from hub.fences.domain import Fences
from hub.nodes.service import SUBJECT, Listener

WRITE_EVERY_S = 1.0


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
