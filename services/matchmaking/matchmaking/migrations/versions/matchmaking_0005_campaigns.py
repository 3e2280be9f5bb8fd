"""Campaigns, their plans and allocations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "matchmaking_0005"
down_revision = "matchmaking_0004"
branch_labels = None
depends_on = None


def _column(name: str, kind: sa.types.TypeEngine, *, optional: bool = False) -> sa.Column:
    return sa.Column(name, kind, nullable=optional)


def _id(name: str, *, optional: bool = False) -> sa.Column:
    return _column(name, UUID(as_uuid=True), optional=optional)


def _text(name: str, *, optional: bool = False) -> sa.Column:
    return _column(name, sa.Text(), optional=optional)


def _number(name: str, *, optional: bool = False) -> sa.Column:
    return _column(name, sa.BigInteger(), optional=optional)


def _moment(name: str, *, optional: bool = False) -> sa.Column:
    return _column(name, sa.DateTime(timezone=True), optional=optional)


def _json(name: str, *, optional: bool = False) -> sa.Column:
    return _column(name, JSONB(), optional=optional)


def upgrade() -> None:
    op.create_table(
        "campaigns",
        _id("id"), _number("epoch"), _number("version"), _text("name"), _text("kind"),
        _column("opens_on", sa.Date()), _column("closes_on", sa.Date()),
        _number("budget_cents", optional=True),
        _json("support"), _json("demands"), _json("providers"), _json("rules"),
        _text("state"), _text("state_reason", optional=True), _number("plans"),
        _number("accepted_plan", optional=True), _text("created_by"), _moment("created_at"),
        _moment("changed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
    )
    op.create_table(
        "campaign_plans",
        _id("id"), _id("campaign_id"), _number("number"), _text("state"), _text("state_reason", optional=True),
        _number("attempts"), _moment("lease_until", optional=True), _number("done"), _number("total"),
        _text("requested_by"), _moment("requested_at"), _moment("finished_at", optional=True),
        _text("method", optional=True), _column("gap", sa.Float(), optional=True), _json("versions"),
        _json("comparison", optional=True), _json("binding"), _json("clashes"), _json("failure", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_plans"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_campaign_plans_campaign_id_campaigns"
        ),
    )
    op.create_index("uq_campaign_plans_number", "campaign_plans", ["campaign_id", "number"], unique=True)
    op.create_index(
        "uq_campaign_plans_active", "campaign_plans", ["campaign_id"], unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index(
        "uq_campaign_plans_accepted", "campaign_plans", ["campaign_id"], unique=True,
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "campaign_inputs",
        _id("plan_id"), _json("body"),
        sa.PrimaryKeyConstraint("plan_id", name="pk_campaign_inputs"),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["campaign_plans.id"], name="fk_campaign_inputs_plan_id_campaign_plans"
        ),
    )
    op.create_table(
        "campaign_lines",
        _id("id"), _id("plan_id"), _text("outcome"), _text("demand_window"), _id("demand_id"),
        _number("demand_version"), _text("demand_number"), _text("demand_title"), _number("amount_cents"),
        _text("reason", optional=True), _text("platform", optional=True), _id("provider_id", optional=True),
        _text("provider_name", optional=True), _id("offering_id", optional=True),
        _number("offering_version", optional=True), _text("offering_title", optional=True),
        _column("utility", sa.Float(), optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_lines"),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["campaign_plans.id"], name="fk_campaign_lines_plan_id_campaign_plans"
        ),
    )
    op.create_index("ix_campaign_lines_plan", "campaign_lines", ["plan_id", "outcome", "id"])
    op.create_table(
        "allocations",
        _id("id"), _number("epoch"), _number("version"), _id("campaign_id"), _text("campaign_name"),
        _text("kind"), _number("plan_number"), _id("demand_id"), _text("demand_number"), _text("demand_title"),
        _text("demand_window"), _text("platform"), _id("provider_id"), _text("provider_name"),
        _id("offering_id"), _text("offering_title"), _number("amount_cents"), _text("state"),
        _text("state_reason", optional=True), _moment("decided_at"),
        sa.PrimaryKeyConstraint("id", name="pk_allocations"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_allocations_campaign_id_campaigns"),
    )
    op.create_index("ix_allocations_campaign_id", "allocations", ["campaign_id"])
    op.create_index(
        "uq_allocations_standing", "allocations", ["demand_window", "demand_id", "kind"], unique=True,
        postgresql_where=sa.text("state = 'assigned'"),
    )


def downgrade() -> None:
    for table in ("allocations", "campaign_lines", "campaign_inputs", "campaign_plans", "campaigns"):
        op.drop_table(table)
