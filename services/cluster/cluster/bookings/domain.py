"""A booking (预约) of a shared resource: held, confirmed, completed; cancelled or expired."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from common.contracts import bookings as contract
from common.contracts.bookings import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingExpired,
    BookingHeld,
    BookingState,
)
from common.contracts.envelope import Contract
from common.errors import Conflict, Invalid, wrong_state
from common.fields import CHINA, Line, Moment

from cluster.resources.domain import Resource
from cluster.resources.hours import Span, covered

LONGEST = timedelta(days=30)
SEARCHED = timedelta(days=14)  # how far alternatives are looked for
OCCUPYING: tuple[BookingState, ...] = ("held", "confirmed")
NAMES_ZH: dict[BookingState, str] = {
    "held": "待确认", "confirmed": "已确认", "completed": "已完成", "cancelled": "已取消", "expired": "已过期",
}  # fmt: skip


class Request(Contract):
    """The time wanted, and what for."""

    starts_at: Moment
    ends_at: Moment
    purpose: Line


class Booking(contract.Booking):
    """A booking with who made it and whose resource it is."""

    requester_subject: str
    lab_subject: str
    purpose: str
    state_reason: str | None = None
    created_at: Moment


def hold(
    resource: Resource, request: Request, *, id: UUID, requester: str, ttl: timedelta, at: datetime
) -> tuple[Booking, BookingHeld]:
    """Raises: Invalid naming what is wrong with the time."""
    _check(resource, request, at)
    booking = Booking(
        id=id,
        version=1,
        resource_id=resource.id,
        provider_id=resource.provider_id,
        starts_at=request.starts_at,
        ends_at=request.ends_at,
        state="held",
        held_until=min(at + ttl, request.starts_at),
        changed_at=at,
        requester_subject=requester,
        lab_subject=resource.owner_subject,
        purpose=request.purpose,
        created_at=at,
    )
    return booking, BookingHeld.of(booking)


def confirm(booking: Booking, *, at: datetime) -> tuple[Booking, BookingConfirmed]:
    """Raises: Conflict unless held, and still in time."""
    if booking.state != "held":
        raise _wrong(booking, "确认", "confirmed")
    if at > booking.held_until:
        raise Conflict(
            "hold-expired",
            zh="保留时间已过，不能确认；请重新预约",
            en="the hold has run out and cannot be confirmed; book again",
        )
    confirmed = _next(booking, at, state="confirmed")
    return confirmed, BookingConfirmed.of(confirmed)


def cancel(booking: Booking, reason: str, *, at: datetime) -> tuple[Booking, BookingCancelled]:
    """Raises: Conflict when it is over."""
    if booking.state not in OCCUPYING:
        raise _wrong(booking, "取消", "cancelled")
    cancelled = _next(booking, at, state="cancelled", state_reason=reason)
    return cancelled, BookingCancelled.of(cancelled)


def complete(
    booking: Booking, machine_hours: float, hourly_fee_cents: int, *, at: datetime
) -> tuple[Booking, BookingCompleted]:
    """Raises: Conflict unless confirmed and begun; Invalid for more hours than were booked."""
    if booking.state != "confirmed":
        raise _wrong(booking, "登记完成", "completed")
    if at < booking.starts_at:
        raise Conflict(
            "not-begun",
            zh="预约尚未开始，不能登记完成；请在使用后登记",
            en="the booking has not begun; report the hours after the use",
        )
    if machine_hours > (booking.ends_at - booking.starts_at) / timedelta(hours=1):
        raise Invalid(
            "machine-hours",
            zh="机时超过预约时长；请核对",
            en="more machine hours than were booked; check them",
            field="machine_hours",
        )
    fee = (Decimal(str(machine_hours)) * hourly_fee_cents).quantize(Decimal(1), ROUND_HALF_UP)
    completed = _next(booking, at, state="completed", machine_hours=machine_hours, fee_cents=int(fee))
    return completed, BookingCompleted.of(completed)


def expire(booking: Booking, *, at: datetime) -> tuple[Booking, BookingExpired]:
    """End a hold that nobody confirmed; the caller has found it due."""
    expired = _next(booking, at, state="expired", state_reason="not-confirmed-in-time")
    return expired, BookingExpired.of(expired)


def taken(alternatives: Sequence[Span]) -> Conflict:
    """The refusal of a slot that is not free, with what is."""
    zh = "、".join(f"{_local(start)}–{_local(end)}" for start, end in alternatives)
    en = ", ".join(f"{start:%Y-%m-%dT%H:%MZ}/{end:%Y-%m-%dT%H:%MZ}" for start, end in alternatives)
    return Conflict(
        "slot-taken",
        zh=f"该时段已被占用；{f'可改为（北京时间）{zh}' if zh else '近两周没有同样长的空闲时段，请缩短或改期'}",
        en=f"the slot is taken; {f'free are {en}' if en else 'no gap of that length in two weeks: take less time or go later'}",
        field="starts_at",
    )


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(CHINA):%m-%d %H:%M}"


def _check(resource: Resource, request: Request, at: datetime) -> None:
    start, end = request.starts_at, request.ends_at
    if end <= start:
        raise Invalid(
            "end-before-start",
            zh="结束时间须晚于开始时间；请核对",
            en="it must end after it starts; check both times",
            field="ends_at",
        )
    if start <= at:
        raise Invalid(
            "start-in-past",
            zh="开始时间须晚于现在；请选择以后的时段",
            en="it must start in the future; take a later time",
            field="starts_at",
        )
    if end - start > LONGEST:
        raise Invalid(
            "booking-too-long",
            zh="一次预约最长30天；请分段预约",
            en="one booking lasts at most 30 days; book in parts",
            field="ends_at",
        )
    if not covered(resource.opening_hours, start, end):
        raise Invalid(
            "outside-opening-hours",
            zh="所选时段不在开放时间内；请查看日历中的空闲时段",
            en="the time is outside the opening hours; see the free times of the calendar",
            field="starts_at",
        )


def _next(booking: Booking, at: datetime, **update: object) -> Booking:
    return booking.model_copy(update={"version": booking.version + 1, "changed_at": at, **update})


def _wrong(booking: Booking, zh: str, en: str) -> Conflict:
    return wrong_state("booking", booking.state, "预约", NAMES_ZH[booking.state], zh=zh, en=en)
