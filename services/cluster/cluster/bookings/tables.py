"""Where bookings are kept. That two overlap is impossible here, not checked elsewhere."""

from datetime import datetime
from uuid import UUID

from common.db import Base, Versioned
from sqlalchemy import Float, ForeignKey, Index, column, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

OCCUPIES = "state IN ('held', 'confirmed')"


class BookingRow(Versioned, Base):
    """A booking of one resource; held and confirmed ones exclude each other."""

    __tablename__ = "bookings"
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id"))
    provider_id: Mapped[UUID]
    requester_subject: Mapped[str] = mapped_column(index=True)
    lab_subject: Mapped[str] = mapped_column(index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    purpose: Mapped[str]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    held_until: Mapped[datetime]
    machine_hours: Mapped[float | None] = mapped_column(Float(53))
    fee_cents: Mapped[int | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (
        ExcludeConstraint(
            (column("resource_id"), "="),
            (func.tstzrange(column("starts_at"), column("ends_at")), "&&"),
            where=text(OCCUPIES),
            using="gist",
            name="ex_bookings_overlap",
        ),
        Index("ix_bookings_held_until", "held_until", postgresql_where=text("state = 'held'")),
    )
