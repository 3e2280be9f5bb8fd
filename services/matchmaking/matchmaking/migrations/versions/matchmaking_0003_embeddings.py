"""Vectors of texts, by content and model."""

import sqlalchemy as sa
from alembic import op

revision = "matchmaking_0003"
down_revision = "matchmaking_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vectors",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("model", "content_hash", name="pk_vectors"),
    )


def downgrade() -> None:
    op.drop_table("vectors")
