"""What is not numbered yet is found at once, however much is numbered and cannot be sent."""

import sqlalchemy as sa
from alembic import op

revision = "common_0003"
down_revision = "common_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outbox_unnumbered", "outbox", ["id"], postgresql_where=sa.text("feed_seq IS NULL"))


def downgrade() -> None:
    op.drop_index("ix_outbox_unnumbered", "outbox")
