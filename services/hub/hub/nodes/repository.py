from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from common import db
from common.tables import DeadLetterRow, DriftRow, FeedInRow, FeedOutRow, OutboxRow
from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from hub.nodes.domain import LATE_AFTER_S, Heard
from hub.nodes.tables import HeardRow


async def note(tx: AsyncSession, heard: Sequence[Heard]) -> None:
    """Keep the last beat of each node; a gap in between starts a new row of beats."""
    statement = insert(HeardRow).values([db.columns(HeardRow, beat) for beat in heard])
    new = statement.excluded
    unbroken = new.heard_at - HeardRow.heard_at <= timedelta(seconds=LATE_AFTER_S)
    columns: dict[str, Any] = {
        name: new[name] for name in HeardRow.__table__.columns.keys() if name != "node"
    }
    columns["beating_since"] = case((unbroken, HeardRow.beating_since), else_=new.heard_at)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["node"], set_=columns, where=new.heard_at >= HeardRow.heard_at
        )
    )


async def everything(tx: AsyncSession) -> dict[str, Heard]:
    rows = (await tx.execute(select(HeardRow))).scalars()
    return {row.node: db.value(row, Heard) for row in rows}


async def applied(tx: AsyncSession) -> dict[str, int]:
    """How far each node's feed has been applied here: what a receipt says."""
    rows = await tx.execute(select(FeedInRow.source, FeedInRow.applied_seq))
    return dict(rows.all())


async def drift(tx: AsyncSession) -> dict[str, int]:
    """How many copies of each platform's records, here and at matchmaking, are known to differ."""
    found: dict[str, int] = {}
    for owner, counts in (await tx.execute(select(DriftRow.owner, DriftRow.drift))).all():
        found[owner] = found.get(owner, 0) + sum(counts.values())
    return found


async def refused(tx: AsyncSession) -> dict[str, int]:
    """Messages of each node that were refused and still wait for somebody."""
    rows = await tx.execute(
        select(DeadLetterRow.source, func.count())
        .where(DeadLetterRow.resolved_at.is_(None))
        .group_by(DeadLetterRow.source)
    )
    return dict(rows.all())


async def owed(tx: AsyncSession) -> dict[str, int]:
    """Messages for each node that it has not confirmed."""
    numbered = await tx.execute(select(FeedOutRow.feed, FeedOutRow.last_seq - FeedOutRow.confirmed_seq))
    found = dict(numbered.all())
    fresh = await tx.execute(
        select(OutboxRow.feed, func.count())
        .where(OutboxRow.sent_at.is_(None), OutboxRow.feed_seq.is_(None))
        .group_by(OutboxRow.feed)
    )
    for feed, count in fresh.all():
        found[feed] = found.get(feed, 0) + count
    return found
