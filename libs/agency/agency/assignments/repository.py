"""Assignments in the database, as far as the caller may see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import copies, db
from common.auth import Principal
from common.contracts.engagements import EngagementState
from common.contracts.envelope import Envelope
from common.contracts.progress import Progress
from common.contracts.ratings import Rating
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from agency.assignments.domain import Assignment
from agency.assignments.tables import AssignmentRow, ProgressRow, ReceivedRatingRow


def _seen_by(who: Principal) -> Select[Any]:
    query = select(AssignmentRow)
    return query if who.staff else query.where(AssignmentRow.owner_subject == who.subject)


async def find(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Assignment | None:
    query = _seen_by(who).where(AssignmentRow.id == id)
    row = (await tx.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    return None if row is None else (await _values(tx, [row]))[0]


async def page(
    tx: AsyncSession, who: Principal, *, state: EngagementState | None, after: UUID | None, limit: int
) -> tuple[Sequence[Assignment], UUID | None]:
    query = _seen_by(who)
    if state is not None:
        query = query.where(AssignmentRow.state == state)
    if after is not None:
        query = query.where(AssignmentRow.id < after)
    rows = (await tx.execute(query.order_by(AssignmentRow.id.desc()).limit(limit + 1))).scalars().all()
    found = await _values(tx, rows[:limit])
    return found, found[-1].id if len(rows) > limit else None


async def _values(tx: AsyncSession, rows: Sequence[AssignmentRow]) -> list[Assignment]:
    wanted = [row.id for row in rows]
    query = select(ProgressRow).where(ProgressRow.engagement_id.in_(wanted))
    reports: dict[UUID, list[Progress]] = {}
    for report in (await tx.execute(query.order_by(ProgressRow.id))).scalars():
        reports.setdefault(report.engagement_id, []).append(db.value(report, Progress))
    rated = select(ReceivedRatingRow).where(ReceivedRatingRow.engagement_id.in_(wanted))
    # Only the engagement's own window rates it.
    ratings = {
        (row.owner, row.engagement_id): Rating.model_validate(row.body)
        for row in (await tx.execute(rated)).scalars()
    }
    return [
        Assignment.model_validate(
            row.body
            | {
                "owner_subject": row.owner_subject,
                "reports": reports.get(row.id, []),
                "rating": ratings.get((row.owner, row.id)),
            }
        )
        for row in rows
    ]


async def follow(tx: AsyncSession, envelope: Envelope, **searched: Any) -> copies.Outcome:
    return await copies.apply(tx, AssignmentRow, envelope, **searched)


async def rate(tx: AsyncSession, envelope: Envelope, engagement_id: UUID) -> copies.Outcome:
    return await copies.apply(tx, ReceivedRatingRow, envelope, engagement_id=engagement_id)


async def add_report(tx: AsyncSession, progress: Progress) -> None:
    await db.add(tx, ProgressRow, progress)
