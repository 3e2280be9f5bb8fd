"""Whoever changes an invitation holds its demand's row lock: that is the one order of locks."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common import journal
from common.auth import Principal
from common.contracts.quotations import Quotation
from sqlalchemy.ext.asyncio import AsyncSession

from window.demands import service as demands
from window.demands.domain import Demand
from window.invitations import domain, repository
from window.invitations.domain import Invitation
from window.matches import service as matches
from window.standings import service as standings

EXPIRED_AT_ONCE = 100


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
    for place, (invitation, fact) in enumerate(issued):
        field = f"offering_ids.{place}"
        await standings.check_platform(tx, invitation.platform, field=field)
        await standings.check(tx, who.node, invitation.platform, invitation.provider_id, field=field)
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

    Emits: InvitationAnswered; DemandEvaluated, or DemandOpened when an answer is awaited again.
    """
    step = domain.answer(invitation, quotation.state, quotation.state_reason, quotation.answered_at or at)
    if step is None:
        return
    answered, fact = step
    await repository.save(tx, answered)
    await journal.write(tx, fact, who=who, at=at)
    await _evaluate(tx, who, demand, at)


async def expire(tx: AsyncSession, who: Principal, *, at: datetime) -> int:
    """End what nobody answered in time; a demand that another is working on is left for the next time.
    How many.

    Emits: InvitationExpired to each provider's platform, DemandEvaluated.
    """
    due = await repository.due(tx, who, at, EXPIRED_AT_ONCE)
    count = 0
    for demand in await demands.idle(tx, who, due):
        invitations = await repository.of_demand(tx, who, demand.id)
        expired = [step for invitation in invitations if (step := domain.expire(invitation, at))]
        for invitation, fact in expired:
            await repository.save(tx, invitation)
            await journal.write(tx, fact, who=who, at=at, recipient=invitation.platform)
        if expired:
            await _evaluate(tx, who, demand, at)
        count += len(expired)
    return count


async def relapse(
    tx: AsyncSession, who: Principal, invitation_id: UUID, reason: str, *, at: datetime
) -> None:
    """The winner had taken its quotation back. Emits: InvitationAnswered."""
    step = domain.relapse(await repository.get(tx, who, invitation_id), reason)
    if step is None:
        return
    withdrawn, fact = step
    await repository.save(tx, withdrawn)
    await journal.write(tx, fact, who=who, at=at)


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


async def _evaluate(tx: AsyncSession, who: Principal, demand: Demand, at: datetime) -> None:
    invitations = await repository.of_demand(tx, who, demand.id)
    await demands.evaluate(tx, who, demand, domain.outlook(invitations), at=at)
