from collections.abc import Sequence

from common import db
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.conformance.domain import Run
from hub.conformance.tables import RunRow

LISTED = 50


async def next_number(tx: AsyncSession, node: str) -> int:
    """The caller holds the lock on the member."""
    query = select(func.coalesce(func.max(RunRow.number), 0)).where(RunRow.node == node)
    return (await tx.execute(query)).scalar_one() + 1


async def add(tx: AsyncSession, run: Run) -> None:
    await db.add(tx, RunRow, run)


async def overtake(tx: AsyncSession, node: str) -> None:
    """A new run ends those still open."""
    await tx.execute(
        update(RunRow).where(RunRow.node == node, RunRow.state == "running").values(state="overtaken")
    )


async def save(tx: AsyncSession, run: Run) -> None:
    await tx.execute(
        update(RunRow)
        .where(RunRow.node == run.node, RunRow.number == run.number)
        .values(state=run.state, finished_at=run.finished_at, report=run.report)
    )


async def get(tx: AsyncSession, node: str, number: int, *, lock: bool = False) -> Run | None:
    query = select(RunRow).where(RunRow.node == node, RunRow.number == number)
    return await db.one(tx, query, Run, lock=lock)


async def listed(tx: AsyncSession, node: str) -> Sequence[Run]:
    """The newest first."""
    query = select(RunRow).where(RunRow.node == node).order_by(RunRow.number.desc()).limit(LISTED)
    return [db.value(row, Run) for row in (await tx.execute(query)).scalars()]
