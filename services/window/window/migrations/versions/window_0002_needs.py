"""Needs of finance and technology, and required qualifications."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "window_0002"
down_revision = "window_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A default that stays: the release before this one still writes rows while windows are upgraded.
    none = sa.text("'[]'")
    op.add_column("demands", sa.Column("qualifications", pg.JSONB, nullable=False, server_default=none))
    op.add_column("demands", sa.Column("finance", pg.JSONB))
    op.add_column("demands", sa.Column("technology", pg.JSONB))


def downgrade() -> None:
    for column in ("technology", "finance", "qualifications"):
        op.drop_column("demands", column)
