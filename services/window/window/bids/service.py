from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common.auth import Principal
from common.contracts.envelope import Envelope
from common.contracts.quotations import Quotation
from common.copies import Outcome
from sqlalchemy.ext.asyncio import AsyncSession

from window.bids import domain, repository
from window.demands import service as demands
from window.demands.domain import Demand
from window.invitations import service as invitations


async def hear(
    tx: AsyncSession, who: Principal, envelope: Envelope, quotation: Quotation, *, at: datetime
) -> None:
    """Keep the newest state of a quotation and let it answer its invitation.

    Raises: NotFound, Forbidden, Invalid or Conflict when it is not for us to hear.
    """
    demand = await demands.get(tx, who, quotation.demand_id, lock=True)
    invitation = await invitations.get(tx, who, quotation.invitation_id)
    domain.check(quotation, invitation, source=envelope.source)
    outcome = await repository.store(tx, envelope, demand_id=demand.id, owner_subject=demand.owner_subject)
    if outcome is Outcome.APPLIED:
        await invitations.answer(tx, who, demand, invitation, quotation, at=at)


async def compare(tx: AsyncSession, who: Principal, demand_id: UUID) -> tuple[Demand, Sequence[Quotation]]:
    """The demand with its quotations, cheapest first. Raises: NotFound."""
    demand = await demands.get(tx, who, demand_id)
    return demand, domain.ranked(await repository.of_demand(tx, who, demand_id))


async def get(tx: AsyncSession, who: Principal, demand_id: UUID, id: UUID) -> Quotation:
    """One quotation of a demand, for the slices above. Raises: NotFound."""
    return await repository.get(tx, who, demand_id, id)
