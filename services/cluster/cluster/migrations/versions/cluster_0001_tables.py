"""Resources and their bookings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "cluster_0001"
down_revision = None
branch_labels = ("cluster",)
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # A trusted extension: the owner of the database may create it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "resources",
        sa.Column("id", pg.UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("owner_subject", sa.Text, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("equipment_name", sa.Text, nullable=False),
        sa.Column("specification_model", sa.Text),
        sa.Column("instrument_classification", sa.Text),
        sa.Column("original_instrument_value_cents", sa.BigInteger),
        sa.Column("owner", sa.Text),
        sa.Column("manufacturer", sa.Text),
        sa.Column("production_country", sa.Text),
        sa.Column("supplier", sa.Text),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("placement_address", sa.Text, nullable=False),
        sa.Column("charges", sa.Text, nullable=False),
        sa.Column("hourly_occupancy_fee_cents", sa.BigInteger, nullable=False),
        sa.Column("device_id", sa.Text),
        sa.Column("effective_hours_per_year", sa.BigInteger),
        sa.Column("external_sharing_hours", sa.BigInteger),
        sa.Column("use_status", sa.Text),
        sa.Column("operating_status", sa.Text),
        sa.Column("technical_index", sa.Text, nullable=False),
        sa.Column("functions", sa.Text, nullable=False),
        sa.Column("introduction", sa.Text, nullable=False),
        sa.Column("main_accessories", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("opening_hours", pg.JSONB, nullable=False),
        sa.Column("contact_person", sa.Text, nullable=False),
        sa.Column("contact_number", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("example", sa.Boolean, nullable=False),
        sa.Column("capacity", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("submitted_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_resources"),
    )
    op.create_index("ix_resources_owner_subject", "resources", ["owner_subject"])
    op.create_index("ix_resources_provider_id", "resources", ["provider_id"])
    op.create_index("ix_resources_state", "resources", ["state"])
    op.create_table(
        "bookings",
        sa.Column("id", pg.UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("resource_id", pg.UUID, nullable=False),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("requester_subject", sa.Text, nullable=False),
        sa.Column("lab_subject", sa.Text, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("held_until", MOMENT, nullable=False),
        sa.Column("machine_hours", sa.Float(53)),
        sa.Column("fee_cents", sa.BigInteger),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bookings"),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name="fk_bookings_resource_id_resources"),
        pg.ExcludeConstraint(
            (sa.column("resource_id"), "="),
            (sa.func.tstzrange(sa.column("starts_at"), sa.column("ends_at")), "&&"),
            where=sa.text("state IN ('held', 'confirmed')"),
            using="gist",
            name="ex_bookings_overlap",
        ),
    )
    op.create_index("ix_bookings_requester_subject", "bookings", ["requester_subject"])
    op.create_index("ix_bookings_lab_subject", "bookings", ["lab_subject"])
    op.create_index(
        "ix_bookings_held_until", "bookings", ["held_until"], postgresql_where=sa.text("state = 'held'")
    )


def downgrade() -> None:
    op.drop_table("bookings")
    op.drop_table("resources")
