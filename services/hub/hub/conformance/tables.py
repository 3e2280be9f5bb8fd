from datetime import datetime
from typing import Any

from common.db import Base
from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class RunRow(Base):
    """A run of the conformance suite."""

    __tablename__ = "conformance_runs"
    node: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    mode: Mapped[str]
    state: Mapped[str]
    started_at: Mapped[datetime]
    started_by: Mapped[str]
    finished_at: Mapped[datetime | None]
    script: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    probes: Mapped[list[str]] = mapped_column(JSONB)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
