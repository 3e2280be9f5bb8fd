"""Changes of catalogues in the order they were applied; whole catalogues handed in, and how they ended."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "hub_0003"
down_revision = "hub_0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
COPIES = ("catalogue_offerings", "catalogue_providers")
# Whichever way a copy is written, it says by which transaction. A bulk statement gives the value itself.
STAMP = """
CREATE FUNCTION catalogue_stamp() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.changed_xid := pg_current_xact_id()::text::bigint; RETURN NEW; END $$
"""
UNSTAMPED = "NEW.changed_xid IS DISTINCT FROM pg_current_xact_id()::text::bigint"


def upgrade() -> None:
    op.execute(STAMP)
    for table in COPIES:
        op.add_column(
            table, sa.Column("changed_xid", sa.BigInteger, nullable=False, server_default=sa.text("0"))
        )
        op.create_index(f"ix_{table}_changed_xid", table, ["owner", "changed_xid", "id"])
        for event in ("INSERT", "UPDATE OF epoch, version, deleted, content_hash, forked, body"):
            op.execute(
                f"CREATE TRIGGER {table}_stamp_{event[:6].lower()} BEFORE {event} ON {table}"
                f" FOR EACH ROW WHEN ({UNSTAMPED}) EXECUTE FUNCTION catalogue_stamp()"
            )
    # Words of what came in bulk are indexed after it is visible: until then it is few rows, looked through.
    op.add_column(
        "catalogue_offerings", sa.Column("indexed", sa.Boolean, nullable=False, server_default=sa.true())
    )
    op.drop_index("ix_catalogue_offerings_search_text", "catalogue_offerings")
    op.create_index(
        "ix_catalogue_offerings_search_text", "catalogue_offerings", ["search_text"], postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"}, postgresql_where=sa.text("indexed"),
    )  # fmt: skip
    op.create_index(
        "ix_catalogue_offerings_unindexed", "catalogue_offerings", ["id"], postgresql_where=sa.text("NOT indexed")
    )
    op.create_table(
        "catalogue_staging",
        sa.Column("batch", pg.UUID, primary_key=True),
        sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("noun", sa.Text, nullable=False),
        sa.Column("id", pg.UUID, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger),
        sa.Column("version", sa.BigInteger),
        sa.Column("based_epoch", sa.BigInteger),
        sa.Column("based_version", sa.BigInteger),
        sa.Column("deleted", sa.Boolean),
        sa.Column("content_hash", sa.Text),
        sa.Column("body", pg.JSONB),
        sa.Column("state", sa.Text),
        sa.Column("provider_id", pg.UUID),
        sa.Column("kind", sa.Text),
        sa.Column("category", sa.Text),
        sa.Column("area", pg.ARRAY(sa.Text)),
        sa.Column("search_text", sa.Text),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "snapshots",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("batch", pg.UUID, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text),
        sa.Column("received_by", sa.Text, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("rows_read", sa.BigInteger, nullable=False),
        sa.Column("rows_unreadable", sa.BigInteger, nullable=False),
        sa.Column("nouns", pg.JSONB, nullable=False),
        sa.Column("counts", pg.JSONB, nullable=False),
        sa.Column("removals", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("zh", sa.Text),
        sa.Column("en", sa.Text),
        sa.Column("approved_by", sa.Text),
        sa.Column("approved_at", MOMENT),
        sa.Column("untold_xid", sa.BigInteger),
        sa.Column("told_id", pg.UUID),
    )
    op.create_index(
        "ix_snapshots_untold", "snapshots", ["node"], postgresql_where=sa.text("untold_xid IS NOT NULL")
    )
    op.create_index(
        "ix_snapshots_open", "snapshots", ["node", "number"],
        postgresql_where=sa.text("state IN ('receiving', 'received', 'validated', 'staged', 'held')"),
    )  # fmt: skip
    # What was uploaded: gone after a crash of the database, and the snapshot then ends as rejected.
    op.create_table(
        "snapshot_parts",
        sa.Column("batch", pg.UUID, primary_key=True),
        sa.Column("part", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        prefixes=["UNLOGGED"],
    )
    op.execute("ALTER TABLE snapshot_parts ALTER COLUMN data SET STORAGE EXTERNAL")
    op.create_table(
        "snapshot_outcomes",
        sa.Column("batch", pg.UUID, primary_key=True),
        sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("noun", sa.Text),
        sa.Column("id", pg.UUID),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("field", sa.Text),
        sa.Column("rule", sa.Text),
        sa.Column("zh", sa.Text),
        sa.Column("en", sa.Text),
    )
    op.create_table(
        "catalogue_pulls",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("approved_at", MOMENT, nullable=False),
        sa.Column("cursor", sa.Text),
        sa.Column("pulled_at", MOMENT),
        sa.Column("heard_at", MOMENT),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("next_at", MOMENT, nullable=False),
    )
