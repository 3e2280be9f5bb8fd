from uuid import UUID

from common import copies, db
from sqlalchemy.orm import Mapped, mapped_column


class BidRow(copies.CopyColumns, db.Base):
    """What providers' platforms say of their quotations to our demands."""

    __tablename__ = "bids"
    demand_id: Mapped[UUID] = mapped_column(index=True)
    owner_subject: Mapped[str]
