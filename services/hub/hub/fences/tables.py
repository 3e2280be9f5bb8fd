from datetime import datetime
from typing import Any

from common.db import Base
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class PositionRow(Base):
    """The furthest a node was ever seen, and whether it is fenced."""

    __tablename__ = "positions"
    node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    feed_seq: Mapped[int]
    floor: Mapped[int]
    strikes: Mapped[int]
    lost: Mapped[int]
    fenced_at: Mapped[datetime | None]
    why: Mapped[str | None]


class RestorationRow(Base):
    """A node that began anew."""

    __tablename__ = "restorations"
    node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    feed_seq: Mapped[int]
    state: Mapped[str]
    ordered_at: Mapped[datetime]
    ordered_by: Mapped[str]
    taken_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    lost_cases: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
