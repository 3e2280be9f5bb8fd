from datetime import date, datetime
from typing import Any
from uuid import UUID

from common import db
from sqlalchemy import Index, Sequence
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

# Six digits beside the date; gaps do not matter, and a million demands a day do not happen.
NUMBERS = Sequence("demand_numbers", maxvalue=999_999, cycle=True, metadata=db.Base.metadata)


class DemandRow(db.Versioned, db.Base):
    __tablename__ = "demands"
    owner_subject: Mapped[str]
    enterprise_id: Mapped[UUID]
    legal_name: Mapped[str]
    confidential: Mapped[bool]
    content_version: Mapped[int]
    number: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    text: Mapped[str]
    category: Mapped[str | None]
    industry: Mapped[str]
    division: Mapped[str]
    size_class: Mapped[str]
    enterprise_name: Mapped[str | None]
    budget: Mapped[dict[str, Any]] = mapped_column(JSONB)
    needed_by: Mapped[date | None]
    must_haves: Mapped[list[str]] = mapped_column(JSONB)
    nice_to_haves: Mapped[list[str]] = mapped_column(JSONB)
    qualifications: Mapped[list[str]] = mapped_column(JSONB, server_default=sql("'[]'"))
    finance: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    technology: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    example: Mapped[bool]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    engagement_id: Mapped[UUID | None]
    submitted_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    timeline: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)

    __table_args__ = (Index("ix_demands_owner_subject", "owner_subject", "id"),)
