"""Copies of demands."""

from common.copies import CopyColumns
from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from matchmaking.db import Base


class DemandRow(CopyColumns, Base):
    __tablename__ = "demands"
    state: Mapped[str]

    __table_args__ = (
        Index("ix_demands_unmatched", "owner", "id", postgresql_where=text("state = 'no_match'")),
    )
