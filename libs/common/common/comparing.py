"""A node compares with the hub by itself: at every connection, and on schedule."""

import asyncio

from common import announcements
from common.convergence import Line, take
from common.outbox import HUB
from common.runtime import Runtime

LOOK_S = 1.0


async def compare(runtime: Runtime) -> None:
    """Take a digest at every connection to the bus, and on schedule; of several processes one does."""
    settings = runtime.settings
    line, last, connections = Line(settings.node, HUB), float("-inf"), 0
    while settings.nkey_seed_file is not None:
        now = asyncio.get_running_loop().time()
        fresh = runtime.bus.connections != connections
        if (
            runtime.bus.connected
            and runtime.sequencer.leading
            and (fresh or now - last >= settings.digest_every_s)
        ):
            async with runtime.transaction() as tx:
                await take(tx, line, announcements.LIVE, settings.node, at=runtime.clock())
            last, connections = now, runtime.bus.connections
        await asyncio.sleep(LOOK_S)
