"""Bookings and calendars over HTTP."""

from datetime import datetime
from uuid import UUID

from common.auth import Principal
from common.contracts.bookings import BookingState, MachineHours
from common.fields import Line
from common.http import In, Out
from pydantic import ConfigDict

from cluster.bookings.domain import Booking, Request


class BookingIn(Request, In):
    """The time wanted, and what for; only the laboratory reads the purpose."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "starts_at": "2099-12-01T09:00:00+08:00",
                    "ends_at": "2099-12-01T11:00:00+08:00",
                    "purpose": "磁粉形貌观察，两个样品",
                }
            ]
        }
    )


class CancellationIn(In):
    """Why; the other party reads it."""

    reason: Line

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "样品未备好"}]})


class CompletionIn(In):
    """How long the machine ran."""

    machine_hours: MachineHours

    model_config = ConfigDict(json_schema_extra={"examples": [{"machine_hours": 1.5}]})


class ResourceRetirementIn(In):
    """Why, where there is something to say."""

    reason: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "设备报废"}]})


class ResourceRetirementOut(Out):
    """The resource as it ended."""

    id: UUID
    epoch: int
    version: int
    equipment_name: str
    state: str
    state_reason: str | None


class BookingOut(Out):
    """A booking. `mine` says whether the caller made it."""

    id: UUID
    epoch: int
    version: int
    resource_id: UUID
    provider_id: UUID
    starts_at: datetime
    ends_at: datetime
    purpose: str
    state: BookingState
    state_reason: str | None
    held_until: datetime
    machine_hours: float | None
    fee_cents: int | None
    mine: bool = False
    created_at: datetime
    changed_at: datetime


class SpanOut(Out):
    """A stretch of time, its end excluded."""

    starts_at: datetime
    ends_at: datetime


class CalendarOut(Out):
    """When a resource is taken and when it can be booked."""

    resource_id: UUID
    busy: tuple[SpanOut, ...]
    free: tuple[SpanOut, ...]


def shown(booking: Booking, who: Principal) -> BookingOut:
    out = BookingOut.model_validate(booking)
    return out.model_copy(update={"mine": booking.requester_subject == who.subject})
