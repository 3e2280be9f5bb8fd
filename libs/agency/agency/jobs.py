"""What happens by the clock alone."""

from common.auth import Principal
from common.runtime import Runtime

from agency.offerings import service as offerings
from agency.providers import service as providers

NOTED_AT_ONCE = 1000


async def restore_due(runtime: Runtime) -> None:
    """End the suspensions whose last moment has passed."""
    async with runtime.transaction() as tx:
        await providers.restore_due(tx, Principal.system(runtime.settings.node), at=runtime.clock())


async def note_unsaid(runtime: Runtime) -> None:
    """Fill what is kept of our own words from a database that is older than it; ends when it is full."""
    for note in (providers.note_unsaid, offerings.note_unsaid):
        noted = NOTED_AT_ONCE
        while noted == NOTED_AT_ONCE:
            async with runtime.transaction() as tx:
                noted = await note(tx, NOTED_AT_ONCE)
