from datetime import datetime

from common import db
from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column


class EnterpriseRow(db.Versioned, db.Base):
    __tablename__ = "enterprises"
    owner_subject: Mapped[str]
    name: Mapped[str]
    credit_code: Mapped[str] = mapped_column(unique=True)
    division: Mapped[str]
    industry: Mapped[str]
    employees: Mapped[int | None]
    revenue_cents: Mapped[int | None]
    total_assets_cents: Mapped[int | None]
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]
    contact_email: Mapped[str | None]
    example: Mapped[bool]
    size_class: Mapped[str]
    size_reason_zh: Mapped[str]
    size_reason_en: Mapped[str]
    size_standard: Mapped[str]
    registered_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (Index("ix_enterprises_owner_subject", "owner_subject", "id"),)
