"""Where subscriptions are kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

from common.db import Base, Versioned
from sqlalchemy import Double, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class SubscriptionRow(Versioned, Base):
    """A subscription; one that has ended stays, so that a later one has a higher version."""

    __tablename__ = "subscriptions"
    owner_subject: Mapped[str]
    platform: Mapped[str]
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"), unique=True)
    categories: Mapped[list[Any]] = mapped_column(JSONB)
    areas: Mapped[list[Any]] = mapped_column(JSONB)
    least_score: Mapped[float] = mapped_column(Double)
    state: Mapped[str]
    changed_at: Mapped[datetime]
