"""Allocations in the database, as far as the caller may see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import copies
from common.auth import Principal
from common.contracts.envelope import Envelope
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from agency.allocations.domain import Allocation
from agency.allocations.tables import ReceivedAllocationRow as Row


def _seen_by(who: Principal) -> Select[Any]:
    query = select(Row)
    return query if who.staff else query.where(Row.owner_subject == who.subject)


def _value(row: Row) -> Allocation:
    return Allocation.model_validate(row.body | {"owner_subject": row.owner_subject})


async def follow(tx: AsyncSession, envelope: Envelope, **searched: Any) -> copies.Outcome:
    return await copies.apply(tx, Row, envelope, **searched)


async def find(tx: AsyncSession, who: Principal, id: UUID) -> Allocation | None:
    row = (await tx.execute(_seen_by(who).where(Row.id == id))).scalar_one_or_none()
    return None if row is None else _value(row)


async def page(
    tx: AsyncSession, who: Principal, *, state: str | None, after: UUID | None, limit: int
) -> tuple[Sequence[Allocation], UUID | None]:
    query = _seen_by(who)
    if state is not None:
        query = query.where(Row.state == state)
    if after is not None:
        query = query.where(Row.id < after)
    rows = (await tx.execute(query.order_by(Row.id.desc()).limit(limit + 1))).scalars().all()
    return [_value(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None
