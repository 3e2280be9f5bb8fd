"""What became of invitations, and versions of the weights."""

from uuid import UUID as UUID_

import sqlalchemy as sa
from alembic import op
from common.copies import content_hash
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "matchmaking_0006"
down_revision = "matchmaking_0005"
branch_labels = None
depends_on = None

# What is kept of a rating from now on.
KEPT = ("id", "epoch", "version", "demand_id", "platform", "provider_id", "engagement_id", "grade", "rated_at")


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


def _id(name: str) -> sa.Column:
    return sa.Column(name, UUID(as_uuid=True), nullable=False)


def _text(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _forget_words() -> None:
    """Ratings heard before are not sent again: they stay, without their words."""
    ratings = sa.table(
        "ratings", sa.column("owner"), sa.column("id", UUID(as_uuid=True)), sa.column("body", JSONB()),
        sa.column("content_hash"), sa.column("engagement_id", UUID(as_uuid=True)),
    )
    bind = op.get_bind()
    for owner, id, body in bind.execute(sa.select(ratings.c.owner, ratings.c.id, ratings.c.body)).all():
        kept = {name: value for name, value in body.items() if name in KEPT}
        bind.execute(
            sa.update(ratings)
            .where(ratings.c.owner == owner, ratings.c.id == id)
            .values(body=kept, content_hash=content_hash(kept), engagement_id=UUID_(kept["engagement_id"]))
        )


def upgrade() -> None:
    _copy(
        "invitations",
        _id("demand_id"), _text("platform"), _id("provider_id"), _id("offering_id"), _text("state"),
        _moment("issued_at"),
    )
    op.create_index("ix_invitations_provider", "invitations", ["platform", "provider_id"])
    op.create_index("ix_invitations_demand", "invitations", ["owner", "demand_id"])
    _copy(
        "quotations",
        _text("demand_window"), _id("invitation_id"), _id("provider_id"), _text("state"),
        _text("state_reason", nullable=True), sa.Column("revision", sa.BigInteger(), nullable=False),
        _moment("first_answered_at", nullable=True),
    )
    op.create_index("ix_quotations_invitation", "quotations", ["demand_window", "invitation_id"])
    _copy(
        "engagements",
        _id("invitation_id"), _text("platform"), _id("provider_id"), _text("state"),
        _text("state_reason", nullable=True),
    )
    op.create_index("ix_engagements_provider", "engagements", ["platform", "provider_id"])
    op.create_index("ix_engagements_invitation", "engagements", ["owner", "invitation_id"])
    op.add_column("ratings", sa.Column("engagement_id", UUID(as_uuid=True), nullable=True))
    _forget_words()
    op.alter_column("ratings", "engagement_id", nullable=False)
    op.create_index("ix_ratings_engagement", "ratings", ["owner", "engagement_id"])
    op.create_table(
        "rankings",
        _text("version"),
        sa.Column("document", JSONB(), nullable=False),
        _text("state"),
        _text("made_by"),
        sa.Column("trained_on", JSONB(), nullable=False),
        sa.Column("claimed", JSONB(), nullable=False),
        sa.Column("evaluation", JSONB(), nullable=False),
        _moment("created_at"),
        _moment("activated_at", nullable=True),
        _text("activated_by", nullable=True),
        _moment("retired_at", nullable=True),
        _text("retired_by", nullable=True),
        sa.PrimaryKeyConstraint("version", name="pk_rankings"),
    )
    op.create_index(
        "uq_rankings_active", "rankings", ["state"], unique=True, postgresql_where=sa.text("state = 'active'")
    )


def downgrade() -> None:
    op.drop_index("ix_ratings_engagement", "ratings")
    op.drop_column("ratings", "engagement_id")
    for table in ("rankings", "engagements", "quotations", "invitations"):
        op.drop_table(table)
