"""Copies of what is offered and needed, and the results."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "matchmaking_0001"
down_revision = None
branch_labels = ("matchmaking",)
depends_on = None


def _copy(name: str, *columns: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("id", UUID(as_uuid=True), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("forked", sa.Boolean(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("owner", "id", name=f"pk_{name}"),
    )


def upgrade() -> None:
    _copy(
        "offerings",
        sa.Column("provider_id", UUID(as_uuid=True), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("division", sa.Text(), nullable=False),
        sa.Column("service_area", JSONB(), nullable=False),
        sa.Column("price", JSONB(), nullable=False),
        sa.Column("lead_days", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_xid", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_offerings_changed_xid", "offerings", ["changed_xid"])
    op.create_index("ix_offerings_provider", "offerings", ["owner", "provider_id"])
    _copy("providers", sa.Column("state", sa.Text(), nullable=False))
    _copy(
        "ratings",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("provider_id", UUID(as_uuid=True), nullable=False),
        sa.Column("grade", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_ratings_provider", "ratings", ["platform", "provider_id"])
    _copy("demands", sa.Column("state", sa.Text(), nullable=False))
    op.create_index(
        "ix_demands_unmatched", "demands", ["owner", "id"], postgresql_where=sa.text("state = 'no_match'")
    )
    op.create_table(
        "matches",
        sa.Column("id", UUID(as_uuid=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("demand_id", UUID(as_uuid=True), nullable=False),
        sa.Column("demand_epoch", sa.BigInteger(), nullable=False),
        sa.Column("demand_version", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("considered", sa.BigInteger(), nullable=False),
        sa.Column("retrieved", sa.BigInteger(), nullable=False),
        sa.Column("candidates", JSONB(), nullable=False),
        sa.Column("near_misses", JSONB(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name="pk_matches"),
        sa.UniqueConstraint(
            "owner", "demand_id", "demand_epoch", "demand_version", name="uq_matches_demand_version"
        ),
    )


def downgrade() -> None:
    for table in ("matches", "demands", "ratings", "providers", "offerings"):
        op.drop_table(table)
