"""Results by demand. Their readers are operators, and the staff of the demand's window."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import db
from common.auth import Principal
from common.contracts.demands import Demand
from sqlalchemy import and_, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.matches.domain import Evidence, Run
from matchmaking.matches.tables import MatchRow, RunRow


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


async def add(tx: AsyncSession, value: Evidence, run: Run) -> bool:
    """Store a result. Whether it is the first for that version of the demand."""
    statement = insert(MatchRow).values(db.columns(MatchRow, value)).on_conflict_do_nothing()
    if (await tx.execute(statement.returning(MatchRow.version))).first() is None:
        return False
    await tx.execute(insert(RunRow).values(id=value.id, version=value.version, packed=run.pack()))
    return True


async def of_demand(tx: AsyncSession, who: Principal, owner: str, demand_id: UUID) -> Sequence[Evidence]:
    """All results of a demand, newest first."""
    if not who.staff_of(owner):
        return []
    statement = (
        select(MatchRow)
        .where(MatchRow.owner == owner, MatchRow.demand_id == demand_id)
        .order_by(MatchRow.version.desc())
    )
    return [db.value(row, Evidence) for row in (await tx.execute(statement)).scalars()]


async def run_of(
    tx: AsyncSession, who: Principal, owner: str, demand_id: UUID, version: int
) -> tuple[Evidence, Run | None] | None:
    """A result with all it was made of."""
    if not who.staff_of(owner):
        return None
    statement = (
        select(MatchRow, RunRow.packed)
        .outerjoin(RunRow, and_(RunRow.id == MatchRow.id, RunRow.version == MatchRow.version))
        .where(MatchRow.owner == owner, MatchRow.demand_id == demand_id, MatchRow.version == version)
    )
    found: Any = (await tx.execute(statement)).first()
    if found is None:
        return None
    row, packed = found
    return db.value(row, Evidence), None if packed is None else Run.unpack(packed)


async def shown(
    tx: AsyncSession, demands: Sequence[tuple[str, UUID]]
) -> dict[tuple[str, UUID], list[Evidence]]:
    """All results of these demands, for what is learnt from them."""
    found: dict[tuple[str, UUID], list[Evidence]] = {}
    statement = select(MatchRow).where(tuple_(MatchRow.owner, MatchRow.demand_id).in_(list(demands)))
    for row in (await tx.execute(statement)).scalars() if demands else ():
        found.setdefault((row.owner, row.demand_id), []).append(db.value(row, Evidence))
    return found
