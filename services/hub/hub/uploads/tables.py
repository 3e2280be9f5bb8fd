from uuid import UUID

from common.db import Base
from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column


class PartRow(Base):
    """A piece of an uploaded file. Not logged: after a crash of the database it is sent again."""

    __tablename__ = "snapshot_parts"
    batch: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
