from datetime import datetime
from typing import Any
from uuid import UUID

from common.db import Base
from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class SnapshotRow(Base):
    """A whole catalogue that was handed in, and how it ended."""

    __tablename__ = "snapshots"
    node: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    batch: Mapped[UUID]
    state: Mapped[str]
    format: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[str | None]
    received_by: Mapped[str]
    received_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    attempts: Mapped[int]
    rows_read: Mapped[int]
    rows_unreadable: Mapped[int]
    nouns: Mapped[list[str]] = mapped_column(JSONB)
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    removals: Mapped[int]
    held: Mapped[int]
    reason: Mapped[str | None]
    zh: Mapped[str | None]
    en: Mapped[str | None]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    untold_xid: Mapped[int | None]
    told_id: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_snapshots_untold", "node", postgresql_where=text("untold_xid IS NOT NULL")),
        Index(
            "ix_snapshots_open",
            "node",
            "number",
            postgresql_where=text("state IN ('receiving', 'received', 'validated', 'staged', 'held')"),
        ),
    )


class OutcomeRow(Base):
    """What became of a row of a file."""

    __tablename__ = "snapshot_outcomes"
    batch: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    noun: Mapped[str | None]
    id: Mapped[UUID | None]
    outcome: Mapped[str]
    field: Mapped[str | None]
    rule: Mapped[str | None]
    zh: Mapped[str | None]
    en: Mapped[str | None]
