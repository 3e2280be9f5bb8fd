"""Demands given to providers by campaigns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "agency_0004"
down_revision = "agency_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "received_allocations",
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("id", pg.UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("forked", sa.Boolean, nullable=False),
        sa.Column("body", pg.JSONB, nullable=False),
        sa.Column("owner_subject", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="pk_received_allocations"),
    )
    op.create_index("uq_received_allocations_id", "received_allocations", ["id"], unique=True)
    op.create_index("ix_received_allocations_owner_subject", "received_allocations", ["owner_subject"])


def downgrade() -> None:
    op.drop_table("received_allocations")
