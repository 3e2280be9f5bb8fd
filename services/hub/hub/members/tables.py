from datetime import datetime
from typing import Any

from common.db import Base
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class MemberRow(Base):
    """A platform of the network."""

    __tablename__ = "members"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    zh: Mapped[str]
    en: Mapped[str]
    divisions: Mapped[list[str]] = mapped_column(JSONB)
    deletion_policy: Mapped[str]
    contacts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    feed_url: Mapped[str | None]
    via: Mapped[str]
    state: Mapped[str]
    since: Mapped[datetime]
    held_from: Mapped[str | None]
    reason: Mapped[str | None]
    subject: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_members_subject", "subject"),)
