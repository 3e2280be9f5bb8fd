"""Versions of the weights. Their readers are operators alone; the engine asks for the active one."""

from collections.abc import Sequence

from common import db
from common.auth import Principal
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.rankings.domain import Ranking
from matchmaking.rankings.tables import RankingRow

# Any number, the same in every process: one at a time changes which version is active.
LOCK = 0x48554257


async def alone(tx: AsyncSession) -> None:
    """Wait until no other transaction changes versions, and keep others out until the commit."""
    await tx.execute(select(func.pg_advisory_xact_lock(LOCK)))


async def active(tx: AsyncSession) -> Ranking | None:
    return await db.one(tx, select(RankingRow).where(RankingRow.state == "active"), Ranking)


async def every(tx: AsyncSession, who: Principal) -> Sequence[Ranking]:
    """Newest first."""
    if not who.staff:
        return []
    query = select(RankingRow).order_by(RankingRow.created_at.desc(), RankingRow.version)
    return [db.value(row, Ranking) for row in (await tx.execute(query)).scalars()]


async def add(tx: AsyncSession, ranking: Ranking) -> None:
    await db.add(tx, RankingRow, ranking)


async def save(tx: AsyncSession, ranking: Ranking) -> None:
    """Store what has become of a version."""
    statement = update(RankingRow).where(RankingRow.version == ranking.version)
    await tx.execute(statement.values(db.columns(RankingRow, ranking)))
