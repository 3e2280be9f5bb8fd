from collections.abc import Sequence
from uuid import UUID

from common import copies, errors
from common.auth import Principal
from common.contracts.envelope import Envelope
from common.contracts.quotations import Quotation
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from window.bids.tables import BidRow


async def store(
    tx: AsyncSession, envelope: Envelope, *, demand_id: UUID, owner_subject: str
) -> copies.Outcome:
    return await copies.apply(tx, BidRow, envelope, demand_id=demand_id, owner_subject=owner_subject)


async def of_demand(tx: AsyncSession, who: Principal, demand_id: UUID) -> Sequence[Quotation]:
    query = select(BidRow.body).where(BidRow.demand_id == demand_id)
    if not who.staff:
        query = query.where(BidRow.owner_subject == who.subject)
    return [Quotation.model_validate(body) for body in (await tx.execute(query)).scalars()]


async def get(tx: AsyncSession, who: Principal, demand_id: UUID, id: UUID) -> Quotation:
    """Raises: NotFound when the demand has no such quotation."""
    for quotation in await of_demand(tx, who, demand_id):
        if quotation.id == id:
            return quotation
    raise errors.absent("报价", "quotation")
