"""Whoever changes an invitation holds its demand's row lock: that is the one order of locks."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common import audit, journal
from common.auth import Principal
from common.contracts.quotations import Quotation
from sqlalchemy.ext.asyncio import AsyncSession

from window.demands import service as demands
from window.demands.domain import Demand
from window.invitations import domain, repository
from window.invitations.domain import Invitation
from window.matches import service as matches


async def issue(
    tx: AsyncSession,
    who: Principal,
    demand_id: UUID,
    offering_ids: Sequence[UUID],
    respond_by: datetime,
    *,
    at: datetime,
) -> Sequence[Invitation]:
    """Ask providers to quote.

    Raises: NotFound; Invalid; Conflict. Emits: InvitationIssued to each provider's platform, DemandOpened.
    """
    demand = await demands.own(tx, who, demand_id)
    demand = await demands.open(tx, who, demand, at=at)
    match = await matches.current(tx, who, demand)
    invited = await repository.of_demand(tx, who, demand_id)
    issued = domain.issue(
        demand,
        match.candidates if match else (),
        invited,
        offering_ids,
        window=who.node,
        respond_by=respond_by,
        at=at,
    )
    for invitation, fact in issued:
        await repository.add(tx, invitation)
        await journal.write(tx, fact, who=who, at=at, recipient=invitation.platform)
    return [invitation for invitation, _ in issued]


async def of_demand(tx: AsyncSession, who: Principal, demand_id: UUID) -> Sequence[Invitation]:
    """Raises: NotFound when the demand is not the caller's to see."""
    await demands.get(tx, who, demand_id)
    return await repository.of_demand(tx, who, demand_id)


async def get(tx: AsyncSession, who: Principal, id: UUID) -> Invitation:
    """One invitation, for the slices above. Raises: NotFound."""
    return await repository.get(tx, who, id)


async def answer(
    tx: AsyncSession,
    who: Principal,
    demand: Demand,
    invitation: Invitation,
    quotation: Quotation,
    *,
    at: datetime,
) -> None:
    """Follow what the provider answered; the last answer moves the demand.

    Emits: DemandEvaluated, or DemandOpened when an answer is awaited again.
    """
    answered = domain.answer(invitation, quotation.state, quotation.state_reason, quotation.answered_at or at)
    if answered is None:
        return
    await repository.save(tx, answered)
    detail = {"version": answered.version, "demand": str(demand.id)}
    await audit.add(tx, who.subject, f"invitation.{answered.state}", answered.id, at=at, detail=detail)
    invitations = await repository.of_demand(tx, who, demand.id)
    await demands.evaluate(tx, who, demand, domain.outlook(invitations), at=at)


async def conclude(
    tx: AsyncSession, who: Principal, demand: Demand, winner: UUID | None, reason: str, *, at: datetime
) -> int:
    """End every open invitation: one may have won, who hoped is told why not. Returns how many lost.

    Emits: InvitationAwarded, InvitationLost, each to the provider's platform.
    """
    lost = 0
    for invitation in await repository.of_demand(tx, who, demand.id):
        won = invitation.id == winner
        step = domain.win(invitation, demand) if won else domain.lose(invitation, reason)
        if step is None:
            continue
        ended, fact = step
        await repository.save(tx, ended)
        await journal.write(tx, fact, who=who, at=at, recipient=ended.platform)
        lost += not won
    return lost
