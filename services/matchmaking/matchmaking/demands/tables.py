"""Copies of demands, with what was read of each for its meaning."""

from common.copies import CopyColumns
from common.mirrors import MirroredColumns
from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from matchmaking.db import Base


class DemandRow(CopyColumns, MirroredColumns, Base):
    """Shape: `vector` is of `model`, both None until it was read."""

    __tablename__ = "demands"
    state: Mapped[str]
    model: Mapped[str | None]
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("ix_demands_unmatched", "owner", "id", postgresql_where=text("state = 'no_match'")),
        Index("ix_demands_changed_xid", "changed_xid"),
    )
