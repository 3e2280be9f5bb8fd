"""What happens by the clock alone."""

from collections.abc import Awaitable, Callable

from common.runtime import Job, Runtime
from sqlalchemy.ext.asyncio import AsyncSession

from hub.members.domain import Membership
from hub.platforms import service


def review(known: Callable[[AsyncSession], Awaitable[Membership]]) -> Job:
    async def review(runtime: Runtime) -> None:
        """Tell of platforms that fell silent or are back."""
        async with runtime.transaction() as tx:
            limit_s = runtime.settings.away_after_s
            await service.review(tx, await known(tx), limit_s=limit_s, at=runtime.clock())

    return review
