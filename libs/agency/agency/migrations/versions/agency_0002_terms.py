"""Terms of offerings that are compared, and recognitions of providers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "agency_0002"
down_revision = "agency_0001"
branch_labels = None
depends_on = None


# A default that stays: the release before this one still writes rows while platforms are upgraded.
NONE = sa.text("'[]'")


def upgrade() -> None:
    op.add_column("providers", sa.Column("recognitions", pg.JSONB, nullable=False, server_default=NONE))
    op.add_column("offerings", sa.Column("size_classes", pg.JSONB, nullable=False, server_default=NONE))
    op.add_column("offerings", sa.Column("qualifications", pg.JSONB, nullable=False, server_default=NONE))
    op.add_column("offerings", sa.Column("capacity", sa.BigInteger))
    op.add_column("offerings", sa.Column("finance", pg.JSONB))
    op.add_column("offerings", sa.Column("achievement", pg.JSONB))


def downgrade() -> None:
    for column in ("achievement", "finance", "capacity", "qualifications", "size_classes"):
        op.drop_column("offerings", column)
    op.drop_column("providers", "recognitions")
