"""Tell subscribed providers of demands that fit, and when those are over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from common import copies, journal, restoring
from common.auth import Principal
from common.contracts.demands import Demand
from common.contracts.envelope import Envelope
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.contracts.subscriptions import Subscription
from common.errors import absent
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.opportunities import domain, repository
from matchmaking.opportunities.domain import Reason, Scored, Telling, by_title
from matchmaking.opportunities.repository import Search

# Of one offering at a time, best first: the next demand that is submitted is told by its own match.
DEMANDS = 50
# A search that failed is tried again after the others.
AGAIN = timedelta(minutes=1)


class Finder(Protocol):
    """Who finds open demands for an offering that is published."""

    async def demands_for(
        self, tx: AsyncSession, platform: str, offering_id: UUID, *, at: datetime, limit: int
    ) -> Sequence[tuple[str, Demand, Scored]]:
        """The window, the demand and how well the offering fits, best first."""
        ...


async def tell(
    tx: AsyncSession,
    who: Principal,
    owner: str,
    demand: Demand,
    fitting: Sequence[Scored],
    *,
    at: datetime,
    reason: Reason = by_title,
    whole: bool = True,
) -> None:
    """Tell the subscribed providers among those that fit an open demand, each of its best offering.

    Shape: `fitting` best first; with `whole` it holds all that fits. Telling the same again does nothing.
    Emits: OpportunityFound, OpportunityClosed for those an edited demand no longer fits.
    """
    wishes = await repository.wishes(tx, {domain.key(scored.listing) for scored in fitting})
    if not wishes and not (whole and await repository.told(tx, owner, demand.id)):
        return
    if not await repository.hold(tx, owner, demand, over=False):
        return
    held = await repository.told(tx, owner, demand.id, lock=True)
    telling = Telling(owner, demand, fitting, whole, reason, at, await restoring.epoch(tx))
    await _put(tx, who, domain.news(telling, wishes, held), at)


async def close(tx: AsyncSession, who: Principal, owner: str, demand: Demand, *, at: datetime) -> None:
    """Tell all who were told of a demand that it is over; its state is the reason.

    Emits: OpportunityClosed.
    """
    if not await repository.hold(tx, owner, demand, over=True):
        return
    held = await repository.told(tx, owner, demand.id, lock=True)
    over = [domain.close(one, demand.state) for one in held.values()]
    await _put(tx, who, [pair for pair in over if pair is not None], at)


async def _put(
    tx: AsyncSession, who: Principal, news: Sequence[tuple[domain.Opportunity, domain.Fact]], at: datetime
) -> None:
    for opportunity, fact in news:
        await repository.put(tx, opportunity)
        await journal.write(tx, fact, who=who, at=at, recipient=opportunity.platform)


async def subscribed(
    tx: AsyncSession, envelope: Envelope, subscription: Subscription, *, at: datetime
) -> None:
    """Follow a subscription; a new or changed one is looked for at once."""
    if await repository.follow(tx, envelope, subscription) is copies.Outcome.APPLIED:
        await repository.make_due(tx, {(envelope.source, subscription.provider_id)}, at)


async def offered(tx: AsyncSession, said: Sequence[tuple[str, Offering]], *, at: datetime) -> None:
    """Note what platforms publish; what a subscribed provider publishes is looked for."""
    await repository.offered(tx, said, at)


async def standing(tx: AsyncSession, said: Sequence[tuple[str, Provider]], *, at: datetime) -> None:
    """Look again for providers that were verified, restored or changed: more may fit them now."""
    active = {(platform, provider.id) for platform, provider in said if provider.state == "active"}
    await repository.make_due(tx, active, at)


async def next_search(tx: AsyncSession, *, at: datetime) -> Search | None:
    """What has been due for the longest time."""
    return await repository.next_due(tx, at)


async def searched(tx: AsyncSession, search: Search) -> None:
    await repository.settle(tx, search, None)


async def postpone(tx: AsyncSession, search: Search, *, at: datetime) -> None:
    """Let the others go first."""
    await repository.settle(tx, search, at + AGAIN)


async def fitting(
    tx: AsyncSession,
    who: Principal,
    finder: Finder,
    platform: str,
    offering_id: UUID,
    *,
    at: datetime,
    limit: int,
) -> Sequence[tuple[str, Demand, Scored]]:
    """Open demands that fit an offering now.

    Raises: NotFound for an offering that is unknown, or of a platform the caller does not work for.
    """
    if not who.staff_of(platform) or not await repository.is_known(tx, platform, offering_id):
        raise absent("服务产品", "offering")
    return await finder.demands_for(tx, platform, offering_id, at=at, limit=limit)
