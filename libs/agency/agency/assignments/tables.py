"""Copies of engagements and their ratings, and our own reports."""

from datetime import datetime
from uuid import UUID

from common.copies import CopyColumns
from common.db import Base, Versioned
from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column


class AssignmentRow(CopyColumns, Base):
    """An engagement of a provider at home here, as its window last told it."""

    __tablename__ = "assignments"
    owner_subject: Mapped[str] = mapped_column(index=True)
    provider_id: Mapped[UUID]
    state: Mapped[str]

    __table_args__ = (Index("uq_assignments_id", "id", unique=True),)


class ReceivedRatingRow(CopyColumns, Base):
    """How an enterprise rated an engagement, as its window told it."""

    __tablename__ = "received_ratings"
    engagement_id: Mapped[UUID] = mapped_column(index=True)


class ProgressRow(Versioned, Base):
    """A report. It is never changed."""

    __tablename__ = "progress_reports"
    engagement_id: Mapped[UUID] = mapped_column(index=True)
    demand_id: Mapped[UUID]
    demand_window: Mapped[str]
    provider_id: Mapped[UUID]
    step: Mapped[str]
    milestone: Mapped[int | None]
    note: Mapped[str]
    reported_at: Mapped[datetime]
