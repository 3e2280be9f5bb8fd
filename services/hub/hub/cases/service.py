"""Keep the register of demands."""

from collections.abc import Collection, Sequence
from uuid import UUID

from common import log
from common.auth import Principal
from common.contracts.demands import Demand
from common.contracts.envelope import Envelope, Fact
from common.copies import Outcome
from common.node import Topology
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import domain, repository
from hub.cases.domain import Case
from hub.catalogue.domain import Search


async def record_all(tx: AsyncSession, said: Sequence[tuple[Envelope, Fact]], network: Topology) -> None:
    """Take over the states of demands, and add what happened to their timelines."""
    demands = [(envelope, fact) for envelope, fact in said if isinstance(fact, Demand)]
    outcomes = await repository.follow_all(tx, demands)
    for (envelope, fact), outcome in zip(demands, outcomes, strict=True):
        if outcome is Outcome.FORK:
            log.get("cases").error("fork", owner=envelope.source, id=str(fact.id), type=envelope.type)
    await repository.note_all(tx, domain.earliest(domain.event(*one, network) for one in said))


async def owners_of(tx: AsyncSession, demands: Collection[UUID]) -> dict[UUID, str]:
    """The windows of demands, as far as the register knows them."""
    return await repository.owners_of(tx, demands)


async def platforms_of(tx: AsyncSession, engagements: Collection[UUID]) -> dict[UUID, str]:
    """The providers' platforms of engagements, as far as the register knows them."""
    return await repository.platforms_of(tx, engagements)


async def technology_needs(
    tx: AsyncSession, who: Principal, search: Search, *, after: UUID | None, limit: int
) -> tuple[Sequence[Case], UUID | None]:
    """Open demands that need a technology, for the slices above."""
    return await repository.technology_needs(tx, who, search, after=after, limit=limit)


async def by_state(tx: AsyncSession) -> dict[str, int]:
    """How many demands of the region are in each state."""
    return await repository.by_state(tx)


async def unsaid(tx: AsyncSession, owner: str, epoch: int) -> Sequence[Case]:
    """Demands a window has not said in its present epoch."""
    return await repository.unsaid(tx, owner, epoch)
