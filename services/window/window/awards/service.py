from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common.auth import Principal
from common.contracts.quotations import Quotation
from sqlalchemy.ext.asyncio import AsyncSession

from window.awards import domain
from window.bids import service as bids
from window.demands import service as demands
from window.engagements import service as engagements
from window.engagements.domain import Engagement, Plan
from window.invitations import service as invitations
from window.standings import service as standings


async def award(
    tx: AsyncSession,
    who: Principal,
    demand_id: UUID,
    quotation_id: UUID,
    reason: str,
    milestones: Sequence[Plan],
    *,
    at: datetime,
) -> tuple[Engagement, int]:
    """Choose one quotation; the demand's row lock makes it the only one. Returns also how many lost.

    Raises: NotFound when the demand is not the caller's or has no such quotation; Conflict; Invalid.
    Emits: InvitationAwarded, InvitationLost, EngagementCreated, DemandAwarded.
    """
    demand = await demands.own(tx, who, demand_id)
    quotation = await bids.get(tx, who, demand_id, quotation_id)
    invitation = await invitations.get(tx, who, quotation.invitation_id)
    domain.check(demand, invitation, quotation, at)
    await standings.check(tx, who.node, quotation.platform, quotation.provider_id, field="quotation_id")
    engagement = await engagements.create(tx, who, demand, quotation, milestones, reason, at=at)
    lost = await invitations.conclude(tx, who, demand, quotation.invitation_id, domain.LOST, at=at)
    await demands.award(tx, who, demand, engagement.id, reason, at=at)
    return engagement, lost


async def undo(tx: AsyncSession, who: Principal, quotation: Quotation, *, source: str, at: datetime) -> None:
    """The winner had withdrawn before it heard of the award: cancel the engagement, open the decision again.

    Who lost was told so and their offers have lapsed: the enterprise invites them, or others, again.
    Raises: Forbidden; Conflict. Emits: EngagementCancelled, DemandEvaluated, InvitationAnswered.
    """
    engagement = await engagements.relapse(tx, who, quotation, domain.RELAPSED, source=source, at=at)
    if engagement is not None:
        await invitations.relapse(tx, who, engagement.invitation_id, domain.RELAPSED, at=at)
