"""Locks: the engagement before its demand. An award holds the demand, and its engagement is new."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from common import ids, journal
from common.auth import Principal
from common.contracts.demands import DemandState
from common.contracts.envelope import Fact
from common.contracts.progress import Progress
from common.contracts.quotations import Quotation
from sqlalchemy.ext.asyncio import AsyncSession

from window.demands import service as demands
from window.demands.domain import Demand
from window.engagements import domain, repository
from window.engagements.domain import Engagement, Plan


async def create(
    tx: AsyncSession,
    who: Principal,
    demand: Demand,
    quotation: Quotation,
    milestones: Sequence[Plan],
    reason: str,
    *,
    at: datetime,
) -> Engagement:
    """Raises: Invalid. Emits: EngagementCreated to the provider's platform."""
    engagement, fact = domain.create(
        demand, quotation, milestones, id=ids.new(), window=who.node, reason=reason, at=at
    )
    await repository.add(tx, engagement)
    await journal.write(tx, fact, who=who, at=at, recipient=engagement.platform)
    return engagement


async def report(tx: AsyncSession, who: Principal, progress: Progress, *, source: str, at: datetime) -> None:
    """Take what the provider reports; the demand follows.

    Raises: NotFound, Forbidden, Conflict, Invalid. Emits: EngagementConfirmed, -Progressed or -Delivered;
    DemandProgressed.
    """
    engagement = await repository.get(tx, who, progress.engagement_id, lock=True)
    engagement = await _keep(tx, who, domain.report(engagement, progress, source=source, at=at), at)
    state = domain.DEMAND_STATES.get(engagement.state)
    if state is not None:
        await demands.progress(tx, who, engagement.demand_id, cast(DemandState, state), at=at)


async def accept(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> Engagement:
    """Raises: NotFound; Conflict. Emits: EngagementAccepted, DemandProgressed."""
    engagement = await repository.own(tx, who, id)
    engagement = await _keep(tx, who, domain.accept(engagement, at), at)
    await demands.progress(tx, who, engagement.demand_id, "accepted", at=at)
    return engagement


async def own(tx: AsyncSession, who: Principal, id: UUID) -> Engagement:
    """The caller's own engagement, locked, for the slices above. Raises: NotFound."""
    return await repository.own(tx, who, id)


async def get(tx: AsyncSession, who: Principal, id: UUID) -> Engagement:
    """An engagement the caller may see, for the slices above. Raises: NotFound."""
    return await repository.get(tx, who, id)


async def worked_by(tx: AsyncSession, who: Principal, id: UUID) -> Engagement:
    """A living engagement for the provider's owner, and for staff on site. Raises: NotFound for anybody else."""
    return await repository.worked_by(tx, who, id)


async def relapse(
    tx: AsyncSession, who: Principal, quotation: Quotation, reason: str, *, source: str, at: datetime
) -> Engagement | None:
    """Cancel what rests on a quotation that had been taken back; None when nothing does, or not any more.

    Raises: Forbidden; Conflict. Emits: EngagementCancelled, DemandEvaluated.
    """
    engagement = await repository.of_quotation(tx, who, quotation.id)
    if engagement is None:
        return None
    step = domain.relapse(engagement, quotation, source=source, reason=reason, at=at)
    engagement = await _keep(tx, who, step, at)
    await demands.relapse(tx, who, engagement.demand_id, reason, at=at)
    return engagement


async def close(tx: AsyncSession, who: Principal, engagement: Engagement, *, at: datetime) -> Engagement:
    """The rating is given: engagement and demand are closed. Emits: EngagementClosed, DemandProgressed twice."""
    engagement = await _keep(tx, who, domain.close(engagement, at), at)
    await demands.progress(tx, who, engagement.demand_id, "rated", at=at)
    await demands.progress(tx, who, engagement.demand_id, "closed", at=at)
    return engagement


async def _keep(tx: AsyncSession, who: Principal, step: tuple[Engagement, Fact], at: datetime) -> Engagement:
    engagement, fact = step
    await repository.save(tx, engagement)
    await journal.write(tx, fact, who=who, at=at, recipient=engagement.platform)
    return engagement
