"""Subscriptions of providers, and what they were told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "matchmaking_0004"
down_revision = "matchmaking_0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("id", UUID(as_uuid=True), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("forked", sa.Boolean(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("provider_id", UUID(as_uuid=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="pk_subscriptions"),
    )
    op.create_index("ix_subscriptions_provider", "subscriptions", ["owner", "provider_id"])
    op.create_table(
        "opportunities",
        sa.Column("id", UUID(as_uuid=True), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("demand_window", sa.Text(), nullable=False),
        sa.Column("demand_id", UUID(as_uuid=True), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("provider_id", UUID(as_uuid=True), nullable=False),
        sa.Column("offering_id", UUID(as_uuid=True), nullable=False),
        sa.Column("offering_title", sa.Text(), nullable=False),
        sa.Column("demand", JSONB(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reason_zh", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_reason", sa.Text()),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_opportunities"),
    )
    op.create_index("ix_opportunities_demand", "opportunities", ["demand_window", "demand_id"])
    op.create_table(
        "told_demands",
        sa.Column("demand_window", sa.Text(), nullable=False),
        sa.Column("demand_id", UUID(as_uuid=True), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("demand_window", "demand_id", name="pk_told_demands"),
    )
    op.create_table(
        "opportunity_searches",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("offering_id", UUID(as_uuid=True), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", UUID(as_uuid=True), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("due_at", MOMENT),
        sa.PrimaryKeyConstraint("platform", "offering_id", name="pk_opportunity_searches"),
    )
    op.create_index("ix_opportunity_searches_provider", "opportunity_searches", ["platform", "provider_id"])
    op.create_index(
        "ix_opportunity_searches_due",
        "opportunity_searches",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    # What was published before this release is searched for as well, once its provider subscribes.
    op.execute(
        "INSERT INTO opportunity_searches (platform, offering_id, epoch, version, provider_id, published) "
        "SELECT owner, id, epoch, version, provider_id, state = 'published' FROM offerings"
    )


def downgrade() -> None:
    for table in ("opportunity_searches", "told_demands", "opportunities", "subscriptions"):
        op.drop_table(table)
