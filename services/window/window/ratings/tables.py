from datetime import datetime
from uuid import UUID

from common import db
from sqlalchemy.orm import Mapped, mapped_column


class RatingRow(db.Versioned, db.Base):
    __tablename__ = "ratings"
    owner_subject: Mapped[str]
    engagement_id: Mapped[UUID] = mapped_column(unique=True)
    demand_id: Mapped[UUID]
    platform: Mapped[str]
    provider_id: Mapped[UUID]
    grade: Mapped[int]
    text: Mapped[str]
    rated_at: Mapped[datetime]
    changed_at: Mapped[datetime]
