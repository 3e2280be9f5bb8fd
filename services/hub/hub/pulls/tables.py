from datetime import datetime

from common.db import Base
from sqlalchemy.orm import Mapped, mapped_column


class PullRow(Base):
    """A platform whose changes the hub fetches, how far it is, and when it last succeeded."""

    __tablename__ = "catalogue_pulls"
    node: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    approved_by: Mapped[str]
    approved_at: Mapped[datetime]
    cursor: Mapped[str | None]
    pulled_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    failures: Mapped[int]
    error: Mapped[str | None]
    next_at: Mapped[datetime]
