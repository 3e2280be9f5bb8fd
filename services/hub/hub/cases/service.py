"""Keep the register of demands."""

from collections.abc import Sequence
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


async def record(tx: AsyncSession, envelope: Envelope, fact: Fact, network: Topology) -> None:
    """Take over the demand's state, and add what happened to its timeline."""
    if isinstance(fact, Demand):
        outcome = await repository.follow(tx, envelope, fact)
        if outcome is Outcome.FORK:
            log.get("cases").error("fork", owner=envelope.source, id=str(fact.id), type=envelope.type)
    await repository.note(tx, domain.event(envelope, fact, network))


async def owner_of(tx: AsyncSession, demand_id: UUID) -> str | None:
    """The window of a demand, if the register knows it."""
    return await repository.owner_of(tx, demand_id)


async def platform_of(tx: AsyncSession, engagement_id: UUID) -> str | None:
    """The provider's platform of an engagement, if the register knows it."""
    return await repository.platform_of(tx, engagement_id)


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
