"""What happens by the clock alone."""

from common.auth import Principal
from common.runtime import Runtime

from cluster.bookings import service as bookings


async def expire_holds(runtime: Runtime) -> None:
    """Free the slots whose hold nobody confirmed in time."""
    async with runtime.transaction() as tx:
        await bookings.expire(tx, Principal.system(runtime.settings.node), at=runtime.clock())
