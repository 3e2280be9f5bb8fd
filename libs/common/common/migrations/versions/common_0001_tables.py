"""Outbox, inbox, feeds, dead letters, audit, idempotency keys, memos."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "common_0001"
down_revision = None
branch_labels = ("common",)
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("message_id", pg.UUID, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("entity", pg.UUID, nullable=False),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("feed_seq", sa.BigInteger),
        sa.Column("sent_at", MOMENT),
        sa.UniqueConstraint("feed", "message_id", name="uq_outbox_feed_message"),
        sa.UniqueConstraint("feed", "feed_seq", name="uq_outbox_feed_seq"),
    )
    op.create_index("ix_outbox_unsent", "outbox", ["id"], postgresql_where=sa.text("sent_at IS NULL"))
    op.create_table(
        "feeds_out",
        sa.Column("feed", sa.Text, primary_key=True),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("confirmed_seq", sa.BigInteger, server_default="0", nullable=False),
    )
    op.create_table(
        "feeds_in",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("applied_seq", sa.BigInteger, nullable=False),
        sa.Column("ahead", pg.ARRAY(sa.BigInteger), nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("message_id", pg.UUID, primary_key=True),
        sa.Column("handled_at", MOMENT, server_default=sa.func.now(), nullable=False),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"], postgresql_using="brin")
    op.create_table(
        "inbox_failures",
        sa.Column("message_key", sa.Text, primary_key=True),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("last_at", MOMENT, server_default=sa.func.now(), nullable=False),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("message_key", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("received_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("resolved_at", MOMENT),
        sa.UniqueConstraint("message_key", name="uq_dead_letters_message_key"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("correlation", sa.Text, nullable=False),
        sa.Column("detail", pg.JSONB, nullable=False),
        sa.Column("seq", sa.BigInteger),
        sa.Column("hash", sa.LargeBinary),
        sa.UniqueConstraint("seq", name="uq_audit_seq"),
    )
    op.create_index("ix_audit_unsealed", "audit", ["id"], postgresql_where=sa.text("seq IS NULL"))
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
    )
    op.create_index(
        "ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], postgresql_using="brin"
    )
    op.create_table(
        "memos",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", pg.JSONB, nullable=False),
    )
