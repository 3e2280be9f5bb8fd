"""Versions of the weights; those of the release are not among them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from matchmaking.db import Base


class RankingRow(Base):
    __tablename__ = "rankings"
    version: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    made_by: Mapped[str]
    trained_on: Mapped[dict[str, Any]] = mapped_column(JSONB)
    claimed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    evaluation: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    activated_by: Mapped[str | None]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[str | None]

    # Two activations at once: the second breaks on this, whatever it has read.
    __table_args__ = (
        Index("uq_rankings_active", "state", unique=True, postgresql_where=text("state = 'active'")),
    )
