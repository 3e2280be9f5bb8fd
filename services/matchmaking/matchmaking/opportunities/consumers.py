"""What platforms say that opens opportunities, and the search that follows it."""

from collections.abc import Sequence

from common import log
from common.auth import Principal
from common.clock import Clock
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.contracts.subscriptions import Subscription
from common.errors import Unavailable
from common.inbox import Many, Message, Routes
from common.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.opportunities import service
from matchmaking.opportunities.domain import Reason, by_title
from matchmaking.opportunities.service import Finder

# Offerings in one pass: between passes others have the database to themselves.
A_PASS = 20


def routes(now: Clock) -> Routes:
    async def on_subscription(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Subscription)
        await service.subscribed(tx, message.envelope, message.fact, at=now())

    async def on_supply(tx: AsyncSession, messages: Sequence[Message]) -> None:
        said = [(one.envelope.source, one.fact) for one in messages]
        at = now()
        await service.offered(tx, [(p, fact) for p, fact in said if isinstance(fact, Offering)], at=at)
        await service.standing(tx, [(p, fact) for p, fact in said if isinstance(fact, Provider)], at=at)

    return (
        ("subscription.*", on_subscription),
        ("offering.*", Many(on_supply)),
        ("provider.*", Many(on_supply)),
    )


class Look:
    """Looks for open demands for what was published or subscribed since; what is due stands in the database.

    Shape: called over and over. A search that is interrupted is done again, and tells nobody twice.
    """

    __name__ = "opportunities"

    def __init__(self, finder: Finder, who: Principal, reason: Reason = by_title) -> None:
        self._finder, self._who, self._reason = finder, who, reason
        self._log = log.get("opportunities")

    async def __call__(self, runtime: Runtime) -> None:
        for _ in range(A_PASS):
            at = runtime.clock()
            async with runtime.transaction() as tx:
                search = await service.next_search(tx, at=at)
            if search is None:
                return
            try:
                await self._look(runtime, search)
            except Unavailable:
                raise
            except Exception:
                # One that cannot be searched never holds the others.
                self._log.exception(
                    "search-failed", platform=search.platform, offering=str(search.offering_id)
                )
                async with runtime.transaction() as tx:
                    await service.postpone(tx, search, at=at)

    async def _look(self, runtime: Runtime, search: service.Search) -> None:
        at = runtime.clock()
        async with runtime.transaction() as tx:
            found = await self._finder.demands_for(
                tx, search.platform, search.offering_id, at=at, limit=service.DEMANDS
            )
        for window, demand, scored in found:
            # Each in a transaction of its own: a demand is held to the commit, and its window's news waits.
            async with runtime.transaction() as tx:
                await service.tell(
                    tx, self._who, window, demand, [scored], at=at, reason=self._reason, whole=False
                )
        async with runtime.transaction() as tx:
            await service.searched(tx, search)
