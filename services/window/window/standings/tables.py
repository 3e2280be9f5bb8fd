from common import copies, db
from sqlalchemy.orm import Mapped


class StandingRow(copies.CopyColumns, db.Base):
    """Whether providers may work, as far as their platforms have told us."""

    __tablename__ = "standings"
    state: Mapped[str]
