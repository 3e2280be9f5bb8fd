"""Copies of what windows and platforms say of cases, less what is nobody's business here."""

from datetime import datetime
from uuid import UUID

from common.copies import CopyColumns
from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from matchmaking.db import Base


class InvitationRow(CopyColumns, Base):
    """Owned by the demand's window; its demand is `(owner, demand_id)`."""

    __tablename__ = "invitations"
    demand_id: Mapped[UUID]
    platform: Mapped[str]
    provider_id: Mapped[UUID]
    offering_id: Mapped[UUID]
    state: Mapped[str]
    issued_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_invitations_provider", "platform", "provider_id"),
        Index("ix_invitations_demand", "owner", "demand_id"),
    )


class QuotationRow(CopyColumns, Base):
    """Owned by the provider's platform. `first_answered_at` is the earliest answer heard of, in any order."""

    __tablename__ = "quotations"
    demand_window: Mapped[str]
    invitation_id: Mapped[UUID]
    provider_id: Mapped[UUID]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    revision: Mapped[int]
    first_answered_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_quotations_invitation", "demand_window", "invitation_id"),)


class EngagementRow(CopyColumns, Base):
    """Owned by the demand's window."""

    __tablename__ = "engagements"
    invitation_id: Mapped[UUID]
    platform: Mapped[str]
    provider_id: Mapped[UUID]
    state: Mapped[str]
    state_reason: Mapped[str | None]

    __table_args__ = (
        Index("ix_engagements_provider", "platform", "provider_id"),
        Index("ix_engagements_invitation", "owner", "invitation_id"),
    )


class RatingRow(CopyColumns, Base):
    """A rating without its words. Owned by the window that rated; about a provider of any platform."""

    __tablename__ = "ratings"
    engagement_id: Mapped[UUID]
    platform: Mapped[str]
    provider_id: Mapped[UUID]
    grade: Mapped[int]

    __table_args__ = (
        Index("ix_ratings_provider", "platform", "provider_id"),
        Index("ix_ratings_engagement", "owner", "engagement_id"),
    )
