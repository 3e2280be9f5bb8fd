"""Bookings in the database, as far as the caller may see them: who made it, whose resource it is, staff."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common import db
from common.auth import Principal
from common.contracts.bookings import BookingState
from sqlalchemy import Select, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cluster.bookings.domain import OCCUPYING, Booking
from cluster.bookings.tables import BookingRow
from cluster.resources.hours import Span


def _seen_by(who: Principal) -> Select[Any]:
    query = select(BookingRow)
    if who.staff:
        return query
    return query.where(
        or_(BookingRow.requester_subject == who.subject, BookingRow.lab_subject == who.subject)
    )


async def find(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Booking | None:
    return await db.one(tx, _seen_by(who).where(BookingRow.id == id), Booking, lock=lock)


async def page(
    tx: AsyncSession,
    who: Principal,
    *,
    resource_id: UUID | None,
    state: BookingState | None,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[Booking], UUID | None]:
    query = _seen_by(who)
    if resource_id is not None:
        query = query.where(BookingRow.resource_id == resource_id)
    if state is not None:
        query = query.where(BookingRow.state == state)
    return await db.page(tx, query, BookingRow.id, Booking, after=after, limit=limit)


async def busy(tx: AsyncSession, resource_id: UUID, start: datetime, end: datetime) -> list[Span]:
    """When a resource is taken. Times only: everybody may know them, nobody learns by whom."""
    query = select(BookingRow.starts_at, BookingRow.ends_at).where(
        BookingRow.resource_id == resource_id,
        BookingRow.state.in_(OCCUPYING),
        BookingRow.starts_at < end,
        BookingRow.ends_at > start,
    )
    return [(row[0], row[1]) for row in await tx.execute(query.order_by(BookingRow.starts_at))]


async def add(tx: AsyncSession, booking: Booking) -> bool:
    """Store a new one, unless its time is taken. Waits for a booking of that time being made just now."""
    statement = insert(BookingRow).values(db.columns(BookingRow, booking)).on_conflict_do_nothing()
    return (await tx.execute(statement.returning(BookingRow.id))).first() is not None


async def save(tx: AsyncSession, booking: Booking) -> None:
    await db.save(tx, BookingRow, booking)


async def overdue(
    tx: AsyncSession, who: Principal, at: datetime, *, resource_id: UUID | None, limit: int
) -> Sequence[Booking]:
    """Holds that have run out and that nobody else is ending."""
    query = _seen_by(who).where(BookingRow.state == "held", BookingRow.held_until < at)
    if resource_id is not None:
        query = query.where(BookingRow.resource_id == resource_id)
    rows = await tx.execute(query.order_by(BookingRow.id).limit(limit).with_for_update(skip_locked=True))
    return [db.value(row, Booking) for row in rows.scalars()]


async def coming(tx: AsyncSession, who: Principal, resource_id: UUID, at: datetime) -> Sequence[Booking]:
    """A resource's that occupy time from now on, locked."""
    query = _seen_by(who).where(
        BookingRow.resource_id == resource_id, BookingRow.state.in_(OCCUPYING), BookingRow.ends_at > at
    )
    rows = await tx.execute(query.order_by(BookingRow.id).with_for_update())
    return [db.value(row, Booking) for row in rows.scalars()]
