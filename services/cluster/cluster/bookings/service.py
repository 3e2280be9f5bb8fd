"""Bookings: what requester, laboratory and clock do to them."""

from datetime import datetime, timedelta
from uuid import UUID

from common import ids, journal
from common.auth import Principal
from common.errors import Invalid, absent
from common.fields import CHINA
from sqlalchemy.ext.asyncio import AsyncSession

from cluster.bookings import domain, repository
from cluster.bookings.domain import Booking, Request
from cluster.resources import service as resources
from cluster.resources.domain import Resource
from cluster.resources.hours import Span, free_spans, open_spans, slots

EXPIRED_AT_ONCE = 100
LONGEST_CALENDAR = timedelta(days=92)


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Booking:
    """Raises: NotFound for none, and for others'."""
    booking = await repository.find(tx, who, id, lock=lock)
    if booking is None:
        raise absent("预约", "booking")
    return booking


async def hold(
    tx: AsyncSession, who: Principal, resource_id: UUID, request: Request, *, ttl: timedelta, at: datetime
) -> Booking:
    """Raises: Invalid; Conflict naming alternatives when the time is taken.

    Emits: BookingHeld, and BookingExpired for holds found overdue on the way.
    """
    resource = await resources.bookable(tx, who, resource_id)
    booking, fact = domain.hold(resource, request, id=ids.new(), requester=who.subject, ttl=ttl, at=at)
    await expire(tx, Principal.system(who.node), at=at, resource_id=resource_id)
    if not await repository.add(tx, booking):
        raise domain.taken(await _alternatives(tx, resource, request, at))
    await journal.write(tx, fact, who=who, at=at)
    return booking


async def confirm(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> Booking:
    """By the laboratory or staff; to the requester its own booking is not there to be confirmed.

    Emits: BookingConfirmed.
    """
    confirmed, fact = domain.confirm(await _as_lab(tx, who, id), at=at)
    await repository.save(tx, confirmed)
    await journal.write(tx, fact, who=who, at=at)
    return confirmed


async def complete(
    tx: AsyncSession, who: Principal, id: UUID, machine_hours: float, *, at: datetime
) -> Booking:
    """By the laboratory or staff.

    Emits: BookingCompleted.
    """
    booking = await _as_lab(tx, who, id)
    resource = await resources.get(tx, Principal.system(who.node), booking.resource_id)
    completed, fact = domain.complete(booking, machine_hours, resource.hourly_occupancy_fee_cents, at=at)
    await repository.save(tx, completed)
    await journal.write(tx, fact, who=who, at=at)
    return completed


async def cancel(tx: AsyncSession, who: Principal, id: UUID, reason: str, *, at: datetime) -> Booking:
    """By either party.

    Emits: BookingCancelled.
    """
    return await _cancel(tx, who, await get(tx, who, id, lock=True), reason, at)


async def expire(tx: AsyncSession, who: Principal, *, at: datetime, resource_id: UUID | None = None) -> int:
    """End the holds that have run out; each is ended by one caller only. How many.

    Emits: BookingExpired for each.
    """
    due = await repository.overdue(tx, who, at, resource_id=resource_id, limit=EXPIRED_AT_ONCE)
    for booking in due:
        expired, fact = domain.expire(booking, at=at)
        await repository.save(tx, expired)
        await journal.write(tx, fact, who=who, at=at)
    return len(due)


async def calendar(
    tx: AsyncSession, who: Principal, resource_id: UUID, start: datetime, end: datetime, *, at: datetime
) -> tuple[list[Span], list[Span]]:
    """Busy and free times of a resource.

    Raises: NotFound; Invalid for a stretch that is empty or too long.
    """
    resource = await resources.get(tx, who, resource_id)
    if not start < end <= start + LONGEST_CALENDAR:
        raise Invalid(
            "calendar-range",
            zh="日历区间须为正且不超过92天；请调整 from 与 to",
            en="a calendar covers up to 92 days and ends after it starts; change from and to",
            field="to",
        )
    taken = await repository.busy(tx, resource_id, start, end)
    open_from = max(start, at)
    spans = open_spans(resource.opening_hours, open_from, end) if open_from < end else []
    return taken, free_spans(spans, taken)


async def retire_resource(
    tx: AsyncSession, who: Principal, resource_id: UUID, reason: str | None, *, at: datetime
) -> Resource:
    """Retire a resource; what is booked from now on is cancelled with it.

    Emits: OfferingRetired, BookingCancelled for each.
    """
    retired = await resources.retire(tx, who, resource_id, reason, at=at)
    for booking in await repository.coming(tx, who, resource_id, at):
        await _cancel(tx, who, booking, "resource-retired", at)
    return retired


async def _cancel(tx: AsyncSession, who: Principal, booking: Booking, reason: str, at: datetime) -> Booking:
    cancelled, fact = domain.cancel(booking, reason, at=at)
    await repository.save(tx, cancelled)
    await journal.write(tx, fact, who=who, at=at)
    return cancelled


async def _as_lab(tx: AsyncSession, who: Principal, id: UUID) -> Booking:
    booking = await get(tx, who, id, lock=True)
    if not who.staff and booking.lab_subject != who.subject:
        raise absent("预约", "booking")
    return booking


async def _alternatives(tx: AsyncSession, resource: Resource, request: Request, at: datetime) -> list[Span]:
    """Where that much time is free, from the morning of the day asked for."""
    morning = request.starts_at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    start = max(morning, _next_quarter(at))
    end = request.starts_at + domain.SEARCHED
    taken = await repository.busy(tx, resource.id, start, end)
    free = free_spans(open_spans(resource.opening_hours, start, end), taken)
    return slots(free, request.ends_at - request.starts_at, 3)


def _next_quarter(at: datetime) -> datetime:
    whole = at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
    return whole + timedelta(minutes=15)
