"""Providers, offerings, quotations, assignments with their reports and ratings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "agency_0001"
down_revision = None
branch_labels = ("agency",)
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _versioned() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", pg.UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def _copy() -> tuple[sa.Column, ...]:
    return (
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("id", pg.UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("forked", sa.Boolean, nullable=False),
        sa.Column("body", pg.JSONB, nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "providers",
        *_versioned(),
        sa.Column("owner_subject", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("credit_code", sa.Text, nullable=False),
        sa.Column("division", sa.Text, nullable=False),
        sa.Column("categories", pg.JSONB, nullable=False),
        sa.Column("qualifications", pg.JSONB, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("example", sa.Boolean, nullable=False),
        sa.Column("contact_name", sa.Text),
        sa.Column("contact_phone", sa.Text),
        sa.Column("contact_email", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("suspended_until", MOMENT),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_providers"),
    )
    op.create_index(
        "uq_providers_credit_code",
        "providers",
        ["credit_code"],
        unique=True,
        postgresql_where=sa.text("state NOT IN ('rejected', 'retired')"),
    )
    op.create_index("ix_providers_owner_subject", "providers", ["owner_subject"])
    op.create_index(
        "ix_providers_suspended_until",
        "providers",
        ["suspended_until"],
        postgresql_where=sa.text("state = 'suspended'"),
    )
    op.create_table(
        "offerings",
        *_versioned(),
        sa.Column("owner_subject", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("provider_name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("division", sa.Text, nullable=False),
        sa.Column("service_area", pg.JSONB, nullable=False),
        sa.Column("price", pg.JSONB, nullable=False),
        sa.Column("lead_days", sa.BigInteger),
        sa.Column("attributes", pg.JSONB, nullable=False),
        sa.Column("example", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("external_ref", sa.Text),
        sa.Column("source_id", pg.UUID),
        sa.Column("submitted_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_offerings"),
        sa.UniqueConstraint("source_id", name="uq_offerings_source_id"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_offerings_provider_id_providers"),
    )
    op.create_index("ix_offerings_owner_subject", "offerings", ["owner_subject"])
    op.create_index("ix_offerings_provider_id", "offerings", ["provider_id"])
    op.create_table(
        "quotations",
        *_versioned(),
        sa.Column("owner_subject", sa.Text, nullable=False),
        sa.Column("invitation_id", pg.UUID, nullable=False),
        sa.Column("demand_id", pg.UUID, nullable=False),
        sa.Column("demand_window", sa.Text, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("provider_name", sa.Text, nullable=False),
        sa.Column("offering_id", pg.UUID, nullable=False),
        sa.Column("offering_version", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("price_cents", sa.BigInteger),
        sa.Column("lead_days", sa.BigInteger),
        sa.Column("valid_until", sa.Date),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("answered_at", MOMENT),
        sa.Column("provider_subject", sa.Text),
        sa.Column("invitation", pg.JSONB, nullable=False),
        sa.Column("invitation_epoch", sa.BigInteger, nullable=False),
        sa.Column("invitation_version", sa.BigInteger, nullable=False),
        sa.Column("respond_by", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quotations"),
        sa.UniqueConstraint("invitation_id", name="uq_quotations_invitation_id"),
    )
    op.create_index("ix_quotations_owner_subject", "quotations", ["owner_subject"])
    op.create_index("ix_quotations_provider_id", "quotations", ["provider_id"])
    op.create_table(
        "assignments",
        *_copy(),
        sa.Column("owner_subject", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="pk_assignments"),
    )
    op.create_index("uq_assignments_id", "assignments", ["id"], unique=True)
    op.create_index("ix_assignments_owner_subject", "assignments", ["owner_subject"])
    op.create_table(
        "progress_reports",
        *_versioned(),
        sa.Column("engagement_id", pg.UUID, nullable=False),
        sa.Column("demand_id", pg.UUID, nullable=False),
        sa.Column("demand_window", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("milestone", sa.BigInteger),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("reported_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_progress_reports"),
    )
    op.create_index("ix_progress_reports_engagement_id", "progress_reports", ["engagement_id"])
    op.create_table(
        "received_ratings",
        *_copy(),
        sa.Column("engagement_id", pg.UUID, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="pk_received_ratings"),
    )
    op.create_index("ix_received_ratings_engagement_id", "received_ratings", ["engagement_id"])


def downgrade() -> None:
    for table in ("received_ratings", "progress_reports", "assignments", "quotations", "offerings", "providers"):
        op.drop_table(table)
