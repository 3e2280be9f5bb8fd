"""Keep the register of demands."""

from uuid import UUID

from common import log
from common.contracts.demands import Demand
from common.contracts.envelope import Envelope, Fact
from common.copies import Outcome
from common.node import Topology
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import domain, repository


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


async def by_state(tx: AsyncSession) -> dict[str, int]:
    """How many demands of the region are in each state."""
    return await repository.by_state(tx)
