from datetime import datetime
from uuid import UUID

from common.db import Base
from sqlalchemy import LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class ClientRow(Base):
    """A machine that signs in with a secret."""

    __tablename__ = "clients"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    secret_hmac: Mapped[bytes] = mapped_column(LargeBinary)
    roles: Mapped[list[str]] = mapped_column(JSONB)
    home: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    revoked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
