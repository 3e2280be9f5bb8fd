"""Where providers are kept."""

from datetime import datetime
from typing import Any

from common.db import Base, Versioned
from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class ProviderRow(Versioned, Base):
    """A provider. Its credit code is taken until it is rejected or retired."""

    __tablename__ = "providers"
    owner_subject: Mapped[str]
    name: Mapped[str]
    credit_code: Mapped[str]
    division: Mapped[str]
    categories: Mapped[list[Any]] = mapped_column(JSONB)
    qualifications: Mapped[list[Any]] = mapped_column(JSONB)
    recognitions: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    profile: Mapped[str]
    example: Mapped[bool]
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]
    contact_email: Mapped[str | None]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    suspended_until: Mapped[datetime | None]
    registered_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    # The transaction that wrote the row last; the database stamps it.
    changed_xid: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (
        Index(
            "uq_providers_credit_code",
            "credit_code",
            unique=True,
            postgresql_where=text("state NOT IN ('rejected', 'retired')"),
        ),
        Index("ix_providers_owner_subject", "owner_subject"),
        Index("ix_providers_changed_xid", "changed_xid", "id"),
        Index(
            "ix_providers_suspended_until", "suspended_until", postgresql_where=text("state = 'suspended'")
        ),
    )
