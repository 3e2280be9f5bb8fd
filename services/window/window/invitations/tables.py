from datetime import datetime
from typing import Any
from uuid import UUID

from common import db
from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class InvitationRow(db.Versioned, db.Base):
    """A provider is asked once by a demand, and again only after it lost."""

    __tablename__ = "invitations"
    owner_subject: Mapped[str]
    demand_id: Mapped[UUID]
    demand_window: Mapped[str]
    platform: Mapped[str]
    provider_id: Mapped[UUID]
    provider_name: Mapped[str]
    offering_id: Mapped[UUID]
    offering_version: Mapped[int]
    offering_title: Mapped[str]
    demand: Mapped[dict[str, Any]] = mapped_column(JSONB)
    respond_by: Mapped[datetime]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    issued_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    enterprise_subject: Mapped[str | None]

    __table_args__ = (
        Index(
            "uq_invitations_demand_provider",
            "demand_id",
            "platform",
            "provider_id",
            unique=True,
            postgresql_where=text("state <> 'lost'"),
        ),
        Index("ix_invitations_demand_id", "demand_id"),
        Index("ix_invitations_respond_by", "respond_by", postgresql_where=text("state = 'issued'")),
    )
