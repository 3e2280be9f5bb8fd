from uuid import UUID

from common.copies import CopyColumns
from common.db import Base
from sqlalchemy import Index, Text, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column


class ChangeColumns:
    """`changed_xid` is the transaction that wrote a copy last; the database stamps it."""

    changed_xid: Mapped[int] = mapped_column(server_default=text("0"))


class OfferingCopyRow(CopyColumns, ChangeColumns, Base):
    """An offering as its owner tells it. `area` holds the prefixes of the places it serves; empty: all."""

    __tablename__ = "catalogue_offerings"
    provider_id: Mapped[UUID]
    kind: Mapped[str]
    category: Mapped[str]
    area: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str]
    search_text: Mapped[str]
    # Whether its words are in the index: those of what came in bulk follow.
    indexed: Mapped[bool] = mapped_column(server_default=true())

    __table_args__ = (
        Index("ix_catalogue_offerings_id", "id"),
        Index("ix_catalogue_offerings_unindexed", "id", postgresql_where=text("NOT indexed")),
        Index("ix_catalogue_offerings_provider", "owner", "provider_id"),
        Index("ix_catalogue_offerings_category", "category", "id"),
        Index("ix_catalogue_offerings_changed_xid", "owner", "changed_xid", "id"),
        Index(
            "ix_catalogue_offerings_search_text",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
            postgresql_where=text("indexed"),
        ),
    )


class ProviderCopyRow(CopyColumns, ChangeColumns, Base):
    """A provider as its owner tells it. `primary_…` is the record that speaks for it since an operator merged them."""

    __tablename__ = "catalogue_providers"
    state: Mapped[str]
    primary_owner: Mapped[str | None]
    primary_id: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_catalogue_providers_id", "id"),
        Index("ix_catalogue_providers_changed_xid", "owner", "changed_xid", "id"),
        Index(
            "ix_catalogue_providers_credit_code",
            text("(body ->> 'credit_code')"),
            postgresql_where=text("NOT deleted"),
        ),
        Index(
            "ix_catalogue_providers_primary",
            "primary_owner",
            "primary_id",
            postgresql_where=text("primary_id IS NOT NULL"),
        ),
    )
