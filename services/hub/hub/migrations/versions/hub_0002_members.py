"""Members of the network, the runs they were tested in, and an end for keys that were rotated."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "hub_0002"
down_revision = "hub_0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
        sa.Column("divisions", pg.JSONB, nullable=False),
        sa.Column("deletion_policy", sa.Text, nullable=False),
        sa.Column("contacts", pg.JSONB, nullable=False),
        sa.Column("feed_url", sa.Text),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("held_from", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("ix_members_subject", "members", ["subject"])
    op.create_table(
        "conformance_runs",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("started_by", sa.Text, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("script", pg.JSONB),
        sa.Column("probes", pg.JSONB, nullable=False),
        sa.Column("report", pg.JSONB),
    )
    op.add_column("clients", sa.Column("expires_at", MOMENT))
