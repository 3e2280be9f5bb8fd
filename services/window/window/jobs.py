"""What happens by the clock alone."""

from common.auth import Principal
from common.runtime import Runtime

from window.invitations import service as invitations


async def expire_invitations(runtime: Runtime) -> None:
    """End the invitations that nobody answered in time."""
    async with runtime.transaction() as tx:
        await invitations.expire(tx, Principal.system(runtime.settings.node), at=runtime.clock())
