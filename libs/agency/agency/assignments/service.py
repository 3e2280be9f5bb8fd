"""Assignments: follow the window's engagements, report on the work."""

from datetime import datetime
from uuid import UUID

from common import ids, journal
from common.auth import Principal
from common.contracts.engagements import Engagement
from common.contracts.envelope import Envelope
from common.contracts.ratings import Rating
from common.errors import absent
from sqlalchemy.ext.asyncio import AsyncSession

from agency.assignments import domain, repository
from agency.assignments.domain import Assignment, Report
from agency.quotations import service as quotations


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Assignment:
    """Raises: NotFound for none, and for another's."""
    assignment = await repository.find(tx, who, id, lock=lock)
    if assignment is None:
        raise absent("任务", "assignment")
    return assignment


async def follow(tx: AsyncSession, who: Principal, engagement: Engagement, envelope: Envelope) -> None:
    """Keep the newest state of an engagement that rests on a quotation from here."""
    quotation = await quotations.lookup(tx, who, engagement.quotation_id)
    held = await repository.find(tx, who, engagement.id)
    domain.ours(
        engagement,
        node=who.node,
        source=envelope.source,
        quoted_to=quotation and quotation.demand_window,
        held_by=held and held.demand_window,
    )
    assert quotation is not None
    await repository.follow(
        tx,
        envelope,
        owner_subject=quotation.owner_subject,
        provider_id=quotation.provider_id,
        state=engagement.state,
    )


async def rate(tx: AsyncSession, who: Principal, rating: Rating, envelope: Envelope) -> None:
    """Keep the newest state of a rating; it shows on the assignment of the same window."""
    domain.rated_for_us(rating, node=who.node)
    await repository.rate(tx, envelope, rating.engagement_id)


async def report(tx: AsyncSession, who: Principal, id: UUID, draft: Report, *, at: datetime) -> Assignment:
    """The assignment with the new report.

    Emits: ProgressReported, to the demand's window.
    """
    assignment = await get(tx, who, id, lock=True)
    quotation = await quotations.get(tx, who, assignment.quotation_id)
    progress, fact = domain.report(assignment, draft, quotation=quotation.state, id=ids.new(), at=at)
    await repository.add_report(tx, progress)
    await journal.write(tx, fact, who=who, at=at, recipient=assignment.demand_window)
    return assignment.model_copy(update={"reports": (*assignment.reports, progress)})
