"""People, machines, keys, beats, catalogue, cases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "hub_0001"
down_revision = None
branch_labels = ("hub",)
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def copy_columns() -> list[sa.Column]:
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
    # Trigram search finds words inside Chinese text, which has no spaces to index by. The extension is
    # trusted: the owner of the database may make it.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "users",
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("username_key", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("roles", pg.JSONB, nullable=False),
        sa.Column("home", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("deactivated_at", MOMENT),
        sa.UniqueConstraint("username_key", name="uq_users_username_key"),
    )
    op.create_table(
        "clients",
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_hmac", sa.LargeBinary, nullable=False),
        sa.Column("roles", pg.JSONB, nullable=False),
        sa.Column("home", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.UniqueConstraint("client_id", name="uq_clients_client_id"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("lookup", sa.Text, nullable=False),
        sa.Column("secret_hmac", sa.LargeBinary, nullable=False),
        sa.Column(
            "owner_subject", pg.UUID, sa.ForeignKey("users.id", name="fk_api_keys_owner_subject_users"), nullable=False
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", pg.JSONB, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.UniqueConstraint("lookup", name="uq_api_keys_lookup"),
    )
    op.create_index("ix_api_keys_owner_subject", "api_keys", ["owner_subject"])
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("public", pg.JSONB, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("signs_from", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT),
    )
    op.create_table(
        "nodes_heard",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("heard_at", MOMENT, nullable=False),
        sa.Column("beating_since", MOMENT, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("feed_seq", sa.BigInteger, nullable=False),
        sa.Column("applied_seq", sa.BigInteger, nullable=False),
        sa.Column("unsent", sa.BigInteger, nullable=False),
        sa.Column("unconfirmed", sa.BigInteger, nullable=False),
        sa.Column("dead_letters", sa.BigInteger, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("offset_s", sa.Float, nullable=False),
    )
    op.create_table(
        "catalogue_offerings",
        *copy_columns(),
        sa.Column("provider_id", pg.UUID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("area", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("search_text", sa.Text, nullable=False),
    )
    op.create_index("ix_catalogue_offerings_id", "catalogue_offerings", ["id"])
    op.create_index("ix_catalogue_offerings_provider", "catalogue_offerings", ["owner", "provider_id"])
    op.create_index("ix_catalogue_offerings_category", "catalogue_offerings", ["category", "id"])
    op.create_index(
        "ix_catalogue_offerings_search_text", "catalogue_offerings", ["search_text"],
        postgresql_using="gin", postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_table("catalogue_providers", *copy_columns(), sa.Column("state", sa.Text, nullable=False))
    op.create_index("ix_catalogue_providers_id", "catalogue_providers", ["id"])
    op.create_table(
        "cases",
        *copy_columns(),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("search_text", sa.Text, nullable=False),
    )
    op.create_index("ix_cases_id", "cases", ["id"])
    op.create_index("ix_cases_state", "cases", ["state", "id"])
    op.create_index(
        "ix_cases_search_text", "cases", ["search_text"],
        postgresql_using="gin", postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_table(
        "case_events",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("type", sa.Text, primary_key=True),
        sa.Column("entity", pg.UUID, primary_key=True),
        sa.Column("entity_version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", pg.UUID, nullable=False),
        sa.Column("case_id", pg.UUID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("platform", sa.Text),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
    )
    op.create_index("ix_case_events_case", "case_events", ["case_id", "at"])
    op.create_index("ix_case_events_entity", "case_events", ["entity"])
