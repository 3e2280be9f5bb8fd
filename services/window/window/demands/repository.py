from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import db, errors
from common.auth import Principal
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from window.demands.domain import OPEN, Demand
from window.demands.similarity import COMPARED_CHARACTERS, Said
from window.demands.tables import NUMBERS, DemandRow


def _visible(who: Principal) -> Select[Any]:
    query = select(DemandRow)
    return query if who.staff else query.where(DemandRow.owner_subject == who.subject)


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Demand:
    """Raises: NotFound when it is absent or not the caller's to see."""
    found = await db.one(tx, _visible(who).where(DemandRow.id == id), Demand, lock=lock)
    if found is None:
        raise errors.absent("需求", "demand")
    return found


async def own(tx: AsyncSession, who: Principal, id: UUID) -> Demand:
    """The caller's own demand, locked until the commit.

    Raises: NotFound when it is absent or another account's, whoever asks.
    """
    query = select(DemandRow).where(DemandRow.id == id, DemandRow.owner_subject == who.subject)
    found = await db.one(tx, query, Demand, lock=True)
    if found is None:
        raise errors.absent("需求", "demand")
    return found


async def seen(tx: AsyncSession, who: Principal, wanted: Sequence[UUID]) -> set[UUID]:
    """Those of the wanted demands that the caller may see."""
    query = _visible(who).where(DemandRow.id.in_(wanted)).with_only_columns(DemandRow.id)
    return set((await tx.execute(query)).scalars())


async def idle(tx: AsyncSession, who: Principal, wanted: Sequence[UUID]) -> Sequence[Demand]:
    """Those of the wanted demands that nobody else has locked, locked until the commit."""
    query = _visible(who).where(DemandRow.id.in_(wanted)).order_by(DemandRow.id)
    rows = (await tx.execute(query.with_for_update(skip_locked=True))).scalars()
    return [db.value(row, Demand) for row in rows]


async def page(
    tx: AsyncSession,
    who: Principal,
    *,
    state: str | None,
    category: str | None,
    enterprise_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[Demand], UUID | None]:
    query = _visible(who)
    wanted = {DemandRow.state: state, DemandRow.category: category, DemandRow.enterprise_id: enterprise_id}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    return await db.page(tx, query, DemandRow.id, Demand, after=after, limit=limit)


async def newest_open(
    tx: AsyncSession, who: Principal, enterprise_id: UUID, owner_subject: str, limit: int
) -> Sequence[Said]:
    """The newest open demands of an enterprise, the newest first."""
    columns = (
        DemandRow.id,
        DemandRow.number,
        DemandRow.title,
        func.left(DemandRow.text, COMPARED_CHARACTERS).label("text"),
        DemandRow.state,
        DemandRow.submitted_at,
    )
    query = _visible(who).where(
        DemandRow.owner_subject == owner_subject,  # what the index begins with, also for staff
        DemandRow.enterprise_id == enterprise_id,
        DemandRow.state.in_(OPEN),
    )
    query = query.with_only_columns(*columns).order_by(DemandRow.id.desc()).limit(limit)
    return [Said.model_validate(row) for row in (await tx.execute(query)).mappings()]


async def numbers(tx: AsyncSession, count: int) -> Sequence[int]:
    """The next numbers; one that is never used leaves a gap."""
    query = select(NUMBERS.next_value()).select_from(func.generate_series(1, count))
    return (await tx.execute(query)).scalars().all()


async def add(tx: AsyncSession, demands: Sequence[Demand]) -> None:
    """Store new demands."""
    await db.add_all(tx, DemandRow, demands)


async def save(tx: AsyncSession, demand: Demand) -> None:
    await db.save(tx, DemandRow, demand)
