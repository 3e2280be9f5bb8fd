"""What a node has said of its own records; how copies compare with their owners; how the platforms are."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from common.copies import content_hash

revision = "common_0002"
down_revision = "common_0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
AT_ONCE = 1000


def upgrade() -> None:
    announcements = op.create_table(
        "announcements",
        sa.Column("noun", sa.Text, primary_key=True),
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("recipients", pg.JSONB, nullable=False),
        sa.Column("body", pg.JSONB, nullable=False),
    )
    op.create_table(
        "drift",
        sa.Column("observer", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("exchange", pg.UUID, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("drift", pg.JSONB, nullable=False),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("compared_at", MOMENT),
        sa.Column("equal_at", MOMENT),
        sa.Column("repaired_at", MOMENT),
    )
    op.create_table(
        "drift_differences",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("noun", sa.Text, primary_key=True),
        sa.Column("id", pg.UUID, primary_key=True),
        sa.Column("bucket", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("held_epoch", sa.BigInteger, nullable=False),
        sa.Column("held_version", sa.BigInteger, nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("asked", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "platforms",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("as_of", MOMENT),
    )
    _fill(announcements)


def _fill(announcements: sa.Table) -> None:
    """What was said before this release, as far as the outbox still has it."""
    # Only the ids at once; and by no cursor, for a table that one is open on cannot be changed any more.
    newest = op.get_bind().execute(
        sa.text(
            "SELECT DISTINCT ON (split_part(type, '.', 1), entity) id FROM outbox"
            " WHERE feed = 'hub' AND split_part(type, '.', 1) NOT IN ('digest', 'progress')"
            " ORDER BY split_part(type, '.', 1), entity, (envelope::json ->> 'entityepoch')::bigint DESC,"
            " (envelope::json ->> 'entityversion')::bigint DESC, id DESC"
        )
    )
    ids = list(newest.scalars())
    said = sa.text("SELECT envelope FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))")
    for start in range(0, len(ids), AT_ONCE):
        rows = op.get_bind().execute(said, {"ids": ids[start : start + AT_ONCE]}).all()
        op.get_bind().execute(announcements.insert(), [_row(json.loads(row.envelope)) for row in rows])


def _row(envelope: dict[str, Any]) -> dict[str, Any]:
    body = envelope["data"]
    return {
        "noun": envelope["type"].split(".", 1)[0],
        "id": envelope["subject"],
        "epoch": envelope["entityepoch"],
        "version": envelope["entityversion"],
        "deleted": body.get("state") == "retired",
        "content_hash": content_hash(body),
        "type": envelope["type"],
        "recipients": [envelope.get("recipient")],
        "body": body,
    }
