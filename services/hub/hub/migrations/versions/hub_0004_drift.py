"""How far nodes were seen, who is fenced, who began anew; what was told of the platforms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "hub_0004"
down_revision = "hub_0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "positions",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("feed_seq", sa.BigInteger, nullable=False),
        sa.Column("floor", sa.BigInteger, nullable=False),
        sa.Column("strikes", sa.BigInteger, nullable=False),
        sa.Column("lost", sa.BigInteger, nullable=False),
        sa.Column("fenced_at", MOMENT),
        sa.Column("why", sa.Text),
    )
    op.create_table(
        "restorations",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("feed_seq", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("ordered_at", MOMENT, nullable=False),
        sa.Column("ordered_by", sa.Text, nullable=False),
        sa.Column("taken_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("lost_cases", pg.JSONB, nullable=False),
    )
