"""Time of a shared resource taken (共享预约). Who took it and what for stays at its platform."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Fact, State
from common.fields import Cents, Moment

BookingState = Literal["held", "confirmed", "completed", "cancelled", "expired"]
MachineHours = Annotated[float, Field(ge=0, le=744, allow_inf_nan=False)]


class Booking(State):
    """One booking. Held and confirmed ones occupy `[starts_at, ends_at)`."""

    resource_id: UUID
    provider_id: UUID
    starts_at: Moment
    ends_at: Moment
    state: BookingState
    held_until: Moment
    machine_hours: MachineHours | None = None
    fee_cents: Cents | None = None
    changed_at: Moment


class BookingHeld(Booking, Fact):
    type = "booking.held.v1"


class BookingConfirmed(Booking, Fact):
    type = "booking.confirmed.v1"


class BookingCompleted(Booking, Fact):
    """Used, with the hours the machine ran."""

    type = "booking.completed.v1"


class BookingCancelled(Booking, Fact):
    type = "booking.cancelled.v1"


class BookingExpired(Booking, Fact):
    """Nobody confirmed it while it was held."""

    type = "booking.expired.v1"
