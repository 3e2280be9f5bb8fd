from datetime import datetime

from common.db import Base
from sqlalchemy.orm import Mapped, mapped_column


class HeardRow(Base):
    """The last beat of a node."""

    __tablename__ = "nodes_heard"
    node: Mapped[str] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime]
    heard_at: Mapped[datetime]
    beating_since: Mapped[datetime]
    epoch: Mapped[int]
    feed_seq: Mapped[int]
    applied_seq: Mapped[int]
    unsent: Mapped[int]
    unconfirmed: Mapped[int]
    dead_letters: Mapped[int]
    release: Mapped[str]
    offset_s: Mapped[float]
