"""Subscriptions and opportunities of providers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "agency_0003"
down_revision = "agency_0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", pg.UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("owner_subject", sa.Text, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("categories", pg.JSONB, nullable=False),
        sa.Column("areas", pg.JSONB, nullable=False),
        sa.Column("least_score", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("provider_id", name="uq_subscriptions_provider_id"),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers.id"], name="fk_subscriptions_provider_id_providers"
        ),
    )
    op.create_table(
        "opportunities",
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
        sa.Column("offering_id", pg.UUID, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("place", pg.UUID, nullable=False),
        sa.Column("heard_at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT),
        sa.Column("dismissed_at", MOMENT),
        sa.Column("dismissed_reason", sa.Text),
        sa.PrimaryKeyConstraint("owner", "id", name="pk_opportunities"),
        sa.UniqueConstraint("position", name="uq_opportunities_position"),
        sa.UniqueConstraint("place", name="uq_opportunities_place"),
    )
    op.create_index("uq_opportunities_id", "opportunities", ["id"], unique=True)
    op.create_index("ix_opportunities_owner_place", "opportunities", ["owner_subject", "place"])
    op.create_index("ix_opportunities_owner_position", "opportunities", ["owner_subject", "position"])
    op.create_index(
        "ix_opportunities_unread",
        "opportunities",
        ["owner_subject"],
        postgresql_where=sa.text("state = 'open' AND read_at IS NULL AND dismissed_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("opportunities", "subscriptions"):
        op.drop_table(table)
