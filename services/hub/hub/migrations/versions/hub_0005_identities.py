"""Which record speaks for an organisation that has several."""

import sqlalchemy as sa
from alembic import op

revision = "hub_0005"
down_revision = "hub_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("catalogue_providers", sa.Column("primary_owner", sa.Text))
    op.add_column("catalogue_providers", sa.Column("primary_id", sa.Uuid))
    op.create_index(
        "ix_catalogue_providers_credit_code",
        "catalogue_providers",
        [sa.text("(body ->> 'credit_code')")],
        postgresql_where=sa.text("NOT deleted"),
    )
    op.create_index(
        "ix_catalogue_providers_primary",
        "catalogue_providers",
        ["primary_owner", "primary_id"],
        postgresql_where=sa.text("primary_id IS NOT NULL"),
    )
