from datetime import datetime
from uuid import UUID

from common.copies import CopyColumns
from common.db import Base
from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column


class CaseRow(CopyColumns, Base):
    """A demand as its window tells it."""

    __tablename__ = "cases"
    state: Mapped[str]
    search_text: Mapped[str]

    __table_args__ = (
        Index("ix_cases_id", "id"),
        Index("ix_cases_state", "state", "id"),
        Index(
            "ix_cases_search_text",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
    )


class CaseEventRow(Base):
    """One thing that happened in a case. Told again under another message id, it is still one thing."""

    __tablename__ = "case_events"
    source: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    entity: Mapped[UUID] = mapped_column(primary_key=True)
    entity_version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[UUID]
    case_id: Mapped[UUID]
    at: Mapped[datetime]
    platform: Mapped[str | None]
    zh: Mapped[str]
    en: Mapped[str]

    __table_args__ = (
        Index("ix_case_events_case", "case_id", "at"),
        Index("ix_case_events_entity", "entity"),
    )
