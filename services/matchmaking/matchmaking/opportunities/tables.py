"""Subscriptions as platforms tell them, what was told to whom, and what is still to be looked for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from common.copies import CopyColumns
from common.db import Versioned
from sqlalchemy import Double, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from matchmaking.db import Base


class SubscriptionRow(CopyColumns, Base):
    __tablename__ = "subscriptions"
    provider_id: Mapped[UUID]
    state: Mapped[str]

    __table_args__ = (Index("ix_subscriptions_provider", "owner", "provider_id"),)


class OpportunityRow(Versioned, Base):
    """One demand for one provider. This service owns it; the provider's platform has a copy."""

    __tablename__ = "opportunities"
    demand_window: Mapped[str]
    demand_id: Mapped[UUID]
    platform: Mapped[str]
    provider_id: Mapped[UUID]
    offering_id: Mapped[UUID]
    offering_title: Mapped[str]
    demand: Mapped[dict[str, Any]] = mapped_column(JSONB)
    score: Mapped[float] = mapped_column(Double)
    reason_zh: Mapped[str]
    reason_en: Mapped[str]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    found_at: Mapped[datetime]

    __table_args__ = (Index("ix_opportunities_demand", "demand_window", "demand_id"),)


class ToldDemandRow(Base):
    """Up to which version a demand was told, and whether it was over then: so that nobody hears of it late."""

    __tablename__ = "told_demands"
    demand_window: Mapped[str] = mapped_column(primary_key=True)
    demand_id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    version: Mapped[int]
    over: Mapped[bool]


class SearchRow(Base):
    """An offering for which open demands may be looked for. `due_at`: they are to be, from then on."""

    __tablename__ = "opportunity_searches"
    platform: Mapped[str] = mapped_column(primary_key=True)
    offering_id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    version: Mapped[int]
    provider_id: Mapped[UUID]
    published: Mapped[bool]
    due_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_opportunity_searches_provider", "platform", "provider_id"),
        Index("ix_opportunity_searches_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )
