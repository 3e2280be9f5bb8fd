"""Where quotations are kept, with the invitation they answer."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from common.db import Base, Versioned
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class QuotationRow(Versioned, Base):
    """A quotation. Its provider may be unknown here: then it was declined by the platform."""

    __tablename__ = "quotations"
    owner_subject: Mapped[str] = mapped_column(index=True)
    invitation_id: Mapped[UUID] = mapped_column(unique=True)
    demand_id: Mapped[UUID]
    demand_window: Mapped[str]
    platform: Mapped[str]
    provider_id: Mapped[UUID] = mapped_column(index=True)
    provider_name: Mapped[str]
    offering_id: Mapped[UUID]
    offering_version: Mapped[int]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    revision: Mapped[int]
    price_cents: Mapped[int | None]
    lead_days: Mapped[int | None]
    valid_until: Mapped[date | None]
    scope: Mapped[str]
    answered_at: Mapped[datetime | None]
    provider_subject: Mapped[str | None]
    invitation: Mapped[dict[str, Any]] = mapped_column(JSONB)
    invitation_epoch: Mapped[int]
    invitation_version: Mapped[int]
    respond_by: Mapped[datetime]
    received_at: Mapped[datetime]
    changed_at: Mapped[datetime]
