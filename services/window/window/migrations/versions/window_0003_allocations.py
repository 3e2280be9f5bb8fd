"""Demands given to providers by campaigns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "window_0003"
down_revision = "window_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "allocations",
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("id", pg.UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("forked", sa.Boolean, nullable=False),
        sa.Column("body", pg.JSONB, nullable=False),
        sa.Column("demand_id", pg.UUID, nullable=False),
        sa.Column("owner_subject", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="pk_allocations"),
    )
    op.create_index("ix_allocations_demand_id", "allocations", ["demand_id"])


def downgrade() -> None:
    op.drop_table("allocations")
