"""Results by demand. Their readers are operators alone."""

from collections.abc import Sequence
from uuid import UUID

from common import db
from common.auth import Principal
from common.contracts.demands import Demand
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.matches.domain import Evidence
from matchmaking.matches.tables import MatchRow


async def exists(tx: AsyncSession, owner: str, demand: Demand) -> bool:
    statement = select(MatchRow.version).where(
        MatchRow.owner == owner,
        MatchRow.demand_id == demand.id,
        MatchRow.demand_epoch == demand.epoch,
        MatchRow.demand_version == demand.version,
    )
    return (await tx.execute(statement)).first() is not None


async def last_version(tx: AsyncSession, owner: str, demand_id: UUID) -> int:
    statement = select(func.max(MatchRow.version)).where(
        MatchRow.owner == owner, MatchRow.demand_id == demand_id
    )
    return (await tx.execute(statement)).scalar_one() or 0


async def add(tx: AsyncSession, value: Evidence) -> bool:
    """Store a result. Whether it is the first for that version of the demand."""
    statement = insert(MatchRow).values(db.columns(MatchRow, value)).on_conflict_do_nothing()
    return (await tx.execute(statement.returning(MatchRow.version))).first() is not None


async def of_demand(tx: AsyncSession, who: Principal, owner: str, demand_id: UUID) -> Sequence[Evidence]:
    """All results of a demand, newest first."""
    if not who.staff:
        return []
    statement = (
        select(MatchRow)
        .where(MatchRow.owner == owner, MatchRow.demand_id == demand_id)
        .order_by(MatchRow.version.desc())
    )
    return [db.value(row, Evidence) for row in (await tx.execute(statement)).scalars()]
