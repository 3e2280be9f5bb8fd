"""Vectors of texts."""

from datetime import datetime

from sqlalchemy import LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from matchmaking.db import Base


class VectorRow(Base):
    """A text's vector by a model, as half-precision numbers; empty where the model refused the text. Never changed."""

    __tablename__ = "vectors"
    model: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
