"""What happens by the clock alone."""

from common.auth import Principal
from common.runtime import Runtime

from agency.providers import service as providers


async def restore_due(runtime: Runtime) -> None:
    """End the suspensions whose last moment has passed."""
    async with runtime.transaction() as tx:
        await providers.restore_due(tx, Principal.system(runtime.settings.node), at=runtime.clock())
