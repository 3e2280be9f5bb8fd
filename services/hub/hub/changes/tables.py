from typing import Any
from uuid import UUID

from common.db import Base
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column


class StagingRow(Base):
    """A line on its way into the catalogue. Not logged: after a crash of the database it is handed in again."""

    __tablename__ = "catalogue_staging"
    batch: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    noun: Mapped[str]
    id: Mapped[UUID]
    role: Mapped[str]
    epoch: Mapped[int | None]
    version: Mapped[int | None]
    based_epoch: Mapped[int | None]
    based_version: Mapped[int | None]
    deleted: Mapped[bool | None]
    content_hash: Mapped[str | None]
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    state: Mapped[str | None]
    provider_id: Mapped[UUID | None]
    kind: Mapped[str | None]
    category: Mapped[str | None]
    area: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    search_text: Mapped[str | None]
