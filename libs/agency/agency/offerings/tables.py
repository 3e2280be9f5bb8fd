"""Where offerings are kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

from common.db import Base, Versioned
from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class OfferingRow(Versioned, Base):
    """An offering of a provider of this platform."""

    __tablename__ = "offerings"
    owner_subject: Mapped[str] = mapped_column(index=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"), index=True)
    provider_name: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str]
    category: Mapped[str]
    division: Mapped[str]
    service_area: Mapped[list[Any]] = mapped_column(JSONB)
    price: Mapped[dict[str, Any]] = mapped_column(JSONB)
    lead_days: Mapped[int | None]
    size_classes: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    qualifications: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    capacity: Mapped[int | None]
    finance: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    achievement: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    example: Mapped[bool]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    external_ref: Mapped[str | None]
    source_id: Mapped[UUID | None] = mapped_column(unique=True)
    submitted_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    # The transaction that wrote the row last; the database stamps it.
    changed_xid: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (Index("ix_offerings_changed_xid", "changed_xid", "id"),)
