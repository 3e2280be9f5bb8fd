"""Copies of allocations of providers at home here."""

from uuid import UUID

from common.copies import CopyColumns
from common.db import Base
from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column


class ReceivedAllocationRow(CopyColumns, Base):
    """A demand given to a provider here. A window keeps those of its own demands beside these."""

    __tablename__ = "received_allocations"
    owner_subject: Mapped[str] = mapped_column(index=True)
    provider_id: Mapped[UUID]
    state: Mapped[str]

    __table_args__ = (Index("uq_received_allocations_id", "id", unique=True),)
