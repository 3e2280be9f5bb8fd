"""Beats come as requests on `hb.<node>`; nothing stores them."""

import asyncio

from common import log
from common.errors import Unavailable
from common.runtime import Runtime
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from hub.nodes.service import SUBJECT, Listener

WRITE_EVERY_S = 1.0


async def heartbeats(runtime: Runtime) -> None:
    """Answer beats for ever and write them down once a second."""
    if runtime.settings.nkey_seed_file is None:
        return
    listener = Listener(runtime.settings.network)

    async def hear(message: Msg) -> None:
        receipt = listener.hear(message.subject, message.data, runtime.clock())
        if receipt is not None and message.reply:
            try:
                await message.respond(receipt)
            except (NatsError, OSError):
                return  # the next beat is answered anew

    await _write(runtime, listener)
    await runtime.bus.ready()
    await runtime.bus.client.subscribe(f"{SUBJECT}.*", cb=hear)
    while True:
        await asyncio.sleep(WRITE_EVERY_S)
        await _write(runtime, listener)


async def _write(runtime: Runtime, listener: Listener) -> None:
    try:
        async with runtime.transaction() as tx:
            await listener.write(tx)
    except Unavailable as error:
        log.get("heartbeats").info("beats-not-written", error=error.code)
