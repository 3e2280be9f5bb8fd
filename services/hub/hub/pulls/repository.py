from datetime import datetime
from typing import Any

from common import db
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from hub.pulls.domain import Pull
from hub.pulls.tables import PullRow


async def put(tx: AsyncSession, pull: Pull) -> None:
    values: dict[str, Any] = db.columns(PullRow, pull)
    statement = insert(PullRow).values(values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["node"], set_=values))


async def get(tx: AsyncSession, node: str, *, lock: bool = False) -> Pull | None:
    return await db.one(tx, select(PullRow).where(PullRow.node == node), Pull, lock=lock)


async def due(tx: AsyncSession, at: datetime) -> Pull | None:
    """One that is to be fetched now and that no other process has taken."""
    query = select(PullRow).where(PullRow.next_at <= at).order_by(PullRow.next_at).limit(1)
    row = (await tx.execute(query.with_for_update(skip_locked=True))).scalar_one_or_none()
    return None if row is None else db.value(row, Pull)


async def remove(tx: AsyncSession, node: str) -> bool:
    statement = delete(PullRow).where(PullRow.node == node).returning(PullRow.node)
    return (await tx.execute(statement)).first() is not None


async def failures(tx: AsyncSession) -> dict[str, int]:
    """How often in a row each platform's feed gave nothing usable."""
    rows = await tx.execute(select(PullRow.node, PullRow.failures))
    return {row.node: row.failures for row in rows}
