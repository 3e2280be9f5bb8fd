"""Results, one for each version of a demand that was matched, each with all it was made of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from matchmaking.db import Base


class MatchRow(Base):
    """A result as it was sent, and what else is needed to say why."""

    __tablename__ = "matches"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    owner: Mapped[str]
    demand_id: Mapped[UUID]
    demand_epoch: Mapped[int]
    demand_version: Mapped[int]
    outcome: Mapped[str]
    engine: Mapped[str]
    considered: Mapped[int]
    retrieved: Mapped[int]
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    near_misses: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    widened: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    similar: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    versions: Mapped[dict[str, Any]] = mapped_column(JSONB)
    degraded: Mapped[list[str]] = mapped_column(JSONB)
    computed_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint(
            "owner", "demand_id", "demand_epoch", "demand_version", name="uq_matches_demand_version"
        ),
    )


class RunRow(Base):
    """Everything a result was made of: matches.domain.Run as compressed JSON. Apart: few ever read it."""

    __tablename__ = "runs"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    packed: Mapped[bytes] = mapped_column(LargeBinary)
