from datetime import datetime
from uuid import UUID

from common.db import Base
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class UserRow(Base):
    """A person who signs in here."""

    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(JSONB)
    home: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    deactivated_at: Mapped[datetime | None]
