"""Where resources are kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

from common.db import Base, Versioned
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class ResourceRow(Versioned, Base):
    """A shared instrument, in the fields of its form."""

    __tablename__ = "resources"
    owner_subject: Mapped[str] = mapped_column(index=True)
    # No foreign key: histories of two packages are upgraded in no order of their own.
    provider_id: Mapped[UUID] = mapped_column(index=True)
    equipment_name: Mapped[str]
    specification_model: Mapped[str | None]
    instrument_classification: Mapped[str | None]
    original_instrument_value_cents: Mapped[int | None]
    owner: Mapped[str | None]
    manufacturer: Mapped[str | None]
    production_country: Mapped[str | None]
    supplier: Mapped[str | None]
    area: Mapped[str]
    placement_address: Mapped[str]
    charges: Mapped[str]
    hourly_occupancy_fee_cents: Mapped[int]
    device_id: Mapped[str | None]
    effective_hours_per_year: Mapped[int | None]
    external_sharing_hours: Mapped[int | None]
    use_status: Mapped[str | None]
    operating_status: Mapped[str | None]
    technical_index: Mapped[str]
    functions: Mapped[str]
    introduction: Mapped[str]
    main_accessories: Mapped[str]
    category: Mapped[str]
    opening_hours: Mapped[list[Any]] = mapped_column(JSONB)
    contact_person: Mapped[str]
    contact_number: Mapped[str]
    email: Mapped[str]
    example: Mapped[bool]
    capacity: Mapped[int]
    state: Mapped[str] = mapped_column(index=True)
    state_reason: Mapped[str | None]
    submitted_at: Mapped[datetime]
    changed_at: Mapped[datetime]
