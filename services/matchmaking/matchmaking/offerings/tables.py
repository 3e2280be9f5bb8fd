"""Copies of offerings and providers, and every version of them that was ever judged by."""

from typing import Any
from uuid import UUID

from common.copies import CopyColumns
from common.mirrors import MirroredColumns
from sqlalchemy import Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from matchmaking.db import Base


class OfferingRow(CopyColumns, MirroredColumns, Base):
    """Shape: `text_hash` is of what is read for its meaning."""

    __tablename__ = "offerings"
    provider_id: Mapped[UUID]
    state: Mapped[str]
    text_hash: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("ix_offerings_changed_xid", "changed_xid"),
        Index("ix_offerings_provider", "owner", "provider_id"),
        Index("ix_offerings_text_hash", "text_hash"),
    )


class ProviderRow(CopyColumns, MirroredColumns, Base):
    """Written again, as it is, when its standing changes."""

    __tablename__ = "providers"
    state: Mapped[str]

    __table_args__ = (Index("ix_providers_changed_xid", "changed_xid"),)


class _Version:
    owner: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)


class OfferingVersionRow(_Version, Base):
    """What an offering said at a version, for replaying a match of that day."""

    __tablename__ = "offering_versions"


class ProviderVersionRow(_Version, Base):
    __tablename__ = "provider_versions"
