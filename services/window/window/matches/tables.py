from uuid import UUID

from common import copies, db
from sqlalchemy.orm import Mapped, mapped_column


class MatchRow(copies.CopyColumns, db.Base):
    __tablename__ = "matches"
    demand_id: Mapped[UUID] = mapped_column(index=True)
    owner_subject: Mapped[str]
