from collections.abc import Sequence
from uuid import UUID

from common import copies
from common.auth import Principal
from common.contracts.allocations import Allocation
from common.contracts.envelope import Envelope
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from window.allocations.tables import AllocationRow


async def store(
    tx: AsyncSession, envelope: Envelope, *, demand_id: UUID, owner_subject: str
) -> copies.Outcome:
    return await copies.apply(tx, AllocationRow, envelope, demand_id=demand_id, owner_subject=owner_subject)


async def of_demand(tx: AsyncSession, who: Principal, demand_id: UUID) -> Sequence[Allocation]:
    """The latest decision first."""
    query = select(AllocationRow.body).where(AllocationRow.demand_id == demand_id)
    if not who.staff:
        query = query.where(AllocationRow.owner_subject == who.subject)
    found = [Allocation.model_validate(body) for body in (await tx.execute(query)).scalars()]
    return sorted(found, key=lambda allocation: (allocation.decided_at, allocation.id), reverse=True)
