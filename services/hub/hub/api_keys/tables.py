from datetime import datetime
from uuid import UUID

from common.db import Base
from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class ApiKeyRow(Base):
    """A key of a person."""

    __tablename__ = "api_keys"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    lookup: Mapped[str] = mapped_column(unique=True)
    secret_hmac: Mapped[bytes] = mapped_column(LargeBinary)
    owner_subject: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(JSONB)
    version: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
