from datetime import datetime
from typing import Any
from uuid import UUID

from common import db
from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class EngagementRow(db.Versioned, db.Base):
    """Unique per demand unless cancelled: the last line of defence against two awards."""

    __tablename__ = "engagements"
    owner_subject: Mapped[str]
    enterprise_id: Mapped[UUID]
    demand_id: Mapped[UUID]
    demand_window: Mapped[str]
    demand_number: Mapped[str]
    title: Mapped[str]
    enterprise_name: Mapped[str]
    invitation_id: Mapped[UUID]
    quotation_id: Mapped[UUID] = mapped_column(index=True)
    quotation_revision: Mapped[int]
    platform: Mapped[str]
    provider_id: Mapped[UUID]
    provider_name: Mapped[str]
    price_cents: Mapped[int]
    lead_days: Mapped[int | None]
    milestones: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state: Mapped[str]
    state_reason: Mapped[str | None]
    award_reason: Mapped[str]
    delivery_note: Mapped[str]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    provider_subject: Mapped[str | None]
    changed_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_engagements_owner_subject", "owner_subject", "id"),
        Index(
            "uq_engagements_demand_id",
            "demand_id",
            unique=True,
            postgresql_where=text("state <> 'cancelled'"),
        ),
    )
