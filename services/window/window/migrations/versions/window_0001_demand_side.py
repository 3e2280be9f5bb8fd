"""Enterprises, demands, matches, invitations, bids, standings, engagements, ratings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "window_0001"
down_revision = None
branch_labels = ("window",)
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _entity() -> list[sa.Column]:
    return [
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("owner_subject", sa.Text, nullable=False),
    ]


def _copy() -> list[sa.Column]:
    return [
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("forked", sa.Boolean, nullable=False),
        sa.Column("body", pg.JSONB, nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "enterprises",
        *_entity(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("credit_code", sa.Text, nullable=False),
        sa.Column("division", sa.Text, nullable=False),
        sa.Column("industry", sa.Text, nullable=False),
        sa.Column("employees", sa.BigInteger),
        sa.Column("revenue_cents", sa.BigInteger),
        sa.Column("total_assets_cents", sa.BigInteger),
        sa.Column("contact_name", sa.Text),
        sa.Column("contact_phone", sa.Text),
        sa.Column("contact_email", sa.Text),
        sa.Column("example", sa.Boolean, nullable=False),
        sa.Column("size_class", sa.Text, nullable=False),
        sa.Column("size_reason_zh", sa.Text, nullable=False),
        sa.Column("size_reason_en", sa.Text, nullable=False),
        sa.Column("size_standard", sa.Text, nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.UniqueConstraint("credit_code", name="uq_enterprises_credit_code"),
    )
    op.create_index("ix_enterprises_owner_subject", "enterprises", ["owner_subject", "id"])

    op.execute(sa.schema.CreateSequence(sa.Sequence("demand_numbers", maxvalue=999_999, cycle=True)))
    op.create_table(
        "demands",
        *_entity(),
        sa.Column("enterprise_id", pg.UUID, nullable=False),
        sa.Column("legal_name", sa.Text, nullable=False),
        sa.Column("confidential", sa.Boolean, nullable=False),
        sa.Column("content_version", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("category", sa.Text),
        sa.Column("industry", sa.Text, nullable=False),
        sa.Column("division", sa.Text, nullable=False),
        sa.Column("size_class", sa.Text, nullable=False),
        sa.Column("enterprise_name", sa.Text),
        sa.Column("budget", pg.JSONB, nullable=False),
        sa.Column("needed_by", sa.Date),
        sa.Column("must_haves", pg.JSONB, nullable=False),
        sa.Column("nice_to_haves", pg.JSONB, nullable=False),
        sa.Column("example", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("engagement_id", pg.UUID),
        sa.Column("submitted_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("timeline", pg.JSONB, nullable=False),
        sa.UniqueConstraint("number", name="uq_demands_number"),
    )
    op.create_index("ix_demands_owner_subject", "demands", ["owner_subject", "id"])

    for copies in ("matches", "bids"):
        op.create_table(
            copies,
            *_copy(),
            sa.Column("demand_id", pg.UUID, nullable=False),
            sa.Column("owner_subject", sa.Text, nullable=False),
        )
        op.create_index(f"ix_{copies}_demand_id", copies, ["demand_id"])
    op.create_table("standings", *_copy(), sa.Column("state", sa.Text, nullable=False))

    op.create_table(
        "invitations",
        *_entity(),
        sa.Column("demand_id", pg.UUID, nullable=False),
        sa.Column("demand_window", sa.Text, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("provider_name", sa.Text, nullable=False),
        sa.Column("offering_id", pg.UUID, nullable=False),
        sa.Column("offering_version", sa.BigInteger, nullable=False),
        sa.Column("offering_title", sa.Text, nullable=False),
        sa.Column("demand", pg.JSONB, nullable=False),
        sa.Column("respond_by", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT),
        sa.Column("enterprise_subject", sa.Text),
    )
    op.create_index(
        "uq_invitations_demand_provider",
        "invitations",
        ["demand_id", "platform", "provider_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'lost'"),
    )
    op.create_index("ix_invitations_demand_id", "invitations", ["demand_id"])
    op.create_index(
        "ix_invitations_respond_by",
        "invitations",
        ["respond_by"],
        postgresql_where=sa.text("state = 'issued'"),
    )

    op.create_table(
        "engagements",
        *_entity(),
        sa.Column("enterprise_id", pg.UUID, nullable=False),
        sa.Column("demand_id", pg.UUID, nullable=False),
        sa.Column("demand_window", sa.Text, nullable=False),
        sa.Column("demand_number", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("enterprise_name", sa.Text, nullable=False),
        sa.Column("invitation_id", pg.UUID, nullable=False),
        sa.Column("quotation_id", pg.UUID, nullable=False),
        sa.Column("quotation_revision", sa.BigInteger, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("provider_name", sa.Text, nullable=False),
        sa.Column("price_cents", sa.BigInteger, nullable=False),
        sa.Column("lead_days", sa.BigInteger),
        sa.Column("milestones", pg.JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("award_reason", sa.Text, nullable=False),
        sa.Column("delivery_note", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("delivered_at", MOMENT),
        sa.Column("accepted_at", MOMENT),
        sa.Column("provider_subject", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
    )
    op.create_index(
        "uq_engagements_demand_id",
        "engagements",
        ["demand_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    op.create_index("ix_engagements_quotation_id", "engagements", ["quotation_id"])
    op.create_index("ix_engagements_owner_subject", "engagements", ["owner_subject", "id"])

    op.create_table(
        "ratings",
        *_entity(),
        sa.Column("engagement_id", pg.UUID, nullable=False),
        sa.Column("demand_id", pg.UUID, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("grade", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("rated_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.UniqueConstraint("engagement_id", name="uq_ratings_engagement_id"),
    )
