from uuid import UUID

from common import copies, db
from sqlalchemy.orm import Mapped, mapped_column


class AllocationRow(copies.CopyColumns, db.Base):
    """A demand of this window given to a provider, as matchmaking last told it."""

    __tablename__ = "allocations"
    demand_id: Mapped[UUID] = mapped_column(index=True)
    owner_subject: Mapped[str]
