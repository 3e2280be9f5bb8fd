from collections.abc import Sequence
from uuid import UUID

from common.auth import Principal
from common.tables import DeadLetterRow
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.dead_letters.domain import DeadLetter


async def page(
    tx: AsyncSession, who: Principal, *, source: str | None, after: UUID | None, limit: int
) -> tuple[Sequence[DeadLetter], UUID | None]:
    """Newest first; nothing unless an operator asks."""
    if "operator" not in who.roles:
        return [], None
    row = DeadLetterRow
    query = select(
        row.id, row.source, row.message_key, row.reason, row.detail, row.received_at, row.resolved_at,
        func.octet_length(row.payload).label("payload_bytes"),
    )  # fmt: skip
    if source is not None:
        query = query.where(row.source == source)
    if after is not None:
        query = query.where(row.id < after)
    rows = (await tx.execute(query.order_by(row.id.desc()).limit(limit + 1))).mappings().all()
    found = [DeadLetter.model_validate(dict(entry)) for entry in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None


async def reasons(tx: AsyncSession, source: str) -> dict[str, int]:
    query = (
        select(DeadLetterRow.reason, func.count())
        .where(DeadLetterRow.source == source, DeadLetterRow.resolved_at.is_(None))
        .group_by(DeadLetterRow.reason)
    )
    return dict((await tx.execute(query)).all())


async def open_count(tx: AsyncSession) -> int:
    query = select(func.count()).select_from(DeadLetterRow).where(DeadLetterRow.resolved_at.is_(None))
    return (await tx.execute(query)).scalar_one()
