"""Copies of offerings, providers and ratings. `changed_xid` is the transaction that wrote a row last."""

from typing import Any
from uuid import UUID

from common.copies import CopyColumns
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from matchmaking.db import Base


class OfferingRow(CopyColumns, Base):
    """What is judged stands in columns; what is only read stays in the body."""

    __tablename__ = "offerings"
    provider_id: Mapped[UUID]
    provider_name: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    category: Mapped[str]
    division: Mapped[str]
    service_area: Mapped[list[str]] = mapped_column(JSONB)
    price: Mapped[dict[str, Any]] = mapped_column(JSONB)
    lead_days: Mapped[int | None]
    state: Mapped[str]
    changed_xid: Mapped[int]

    __table_args__ = (
        Index("ix_offerings_changed_xid", "changed_xid"),
        Index("ix_offerings_provider", "owner", "provider_id"),
    )


class ProviderRow(CopyColumns, Base):
    __tablename__ = "providers"
    state: Mapped[str]


class RatingRow(CopyColumns, Base):
    """Owned by the window that rated; about a provider of any platform."""

    __tablename__ = "ratings"
    platform: Mapped[str]
    provider_id: Mapped[UUID]
    grade: Mapped[int]

    __table_args__ = (Index("ix_ratings_provider", "platform", "provider_id"),)
