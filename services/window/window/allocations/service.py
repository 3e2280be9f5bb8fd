from collections.abc import Sequence
from uuid import UUID

from common.auth import Principal
from common.contracts.allocations import Allocation
from common.contracts.envelope import Envelope
from sqlalchemy.ext.asyncio import AsyncSession

from window.allocations import domain, repository
from window.demands import service as demands


async def hear(
    tx: AsyncSession, who: Principal, envelope: Envelope, allocation: Allocation, *, matchmaking: str
) -> None:
    """Keep the newest state of an allocation of a demand here.

    Raises: Forbidden when it is not matchmaking's to say here; NotFound when the demand is not ours.
    """
    if not domain.ours(allocation, node=who.node, source=envelope.source, matchmaking=matchmaking):
        return
    demand = await demands.get(tx, who, allocation.demand_id)
    await repository.store(tx, envelope, demand_id=demand.id, owner_subject=demand.owner_subject)


async def of_demand(tx: AsyncSession, who: Principal, demand_id: UUID) -> Sequence[Allocation]:
    """Raises: NotFound when the demand is not the caller's to see."""
    await demands.get(tx, who, demand_id)
    return await repository.of_demand(tx, who, demand_id)
