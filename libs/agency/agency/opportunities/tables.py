"""Copies of opportunities, with what the provider made of them."""

from datetime import datetime
from uuid import UUID

from common.copies import CopyColumns
from common.db import Base
from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column


class OpportunityRow(CopyColumns, Base):
    """An opportunity as matchmaking last told it. A later telling leaves `place` and a dismissal as they are."""

    __tablename__ = "opportunities"
    owner_subject: Mapped[str]
    provider_id: Mapped[UUID]
    offering_id: Mapped[UUID]
    state: Mapped[str]
    position: Mapped[int] = mapped_column(unique=True)
    place: Mapped[UUID] = mapped_column(unique=True, server_default=text("uuidv7()"))
    heard_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    dismissed_at: Mapped[datetime | None]
    dismissed_reason: Mapped[str | None]

    __table_args__ = (
        Index("uq_opportunities_id", "id", unique=True),
        Index("ix_opportunities_owner_place", "owner_subject", "place"),
        Index("ix_opportunities_owner_position", "owner_subject", "position"),
        Index(
            "ix_opportunities_unread",
            "owner_subject",
            postgresql_where=text("state = 'open' AND read_at IS NULL AND dismissed_at IS NULL"),
        ),
    )
