from datetime import datetime
from uuid import UUID

from common.auth import Principal
from sqlalchemy.ext.asyncio import AsyncSession

from window.demands import service as demands
from window.demands.domain import Demand
from window.invitations import service as invitations

LOST = "企业撤回了需求（the enterprise withdrew its demand）"


async def withdraw(tx: AsyncSession, who: Principal, demand_id: UUID, reason: str, *, at: datetime) -> Demand:
    """Raises: NotFound; Conflict once awarded. Emits: DemandWithdrawn, InvitationLost to who was invited."""
    demand = await demands.own(tx, who, demand_id)
    withdrawn = await demands.withdraw(tx, who, demand, reason, at=at)
    await invitations.conclude(tx, who, withdrawn, None, LOST, at=at)
    return withdrawn
