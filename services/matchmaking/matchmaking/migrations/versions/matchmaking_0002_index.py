"""What the indexes and the evidence of a result are made of."""

import sqlalchemy as sa
from alembic import op
from matchmaking.embeddings.domain import content_hash
from matchmaking.offerings.domain import document
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "matchmaking_0002"
down_revision = "matchmaking_0001"
branch_labels = None
depends_on = None

# Judged from the body, which holds them all, and no longer beside it.
FORMER = {
    "provider_name": sa.Text(),
    "kind": sa.Text(),
    "title": sa.Text(),
    "category": sa.Text(),
    "division": sa.Text(),
    "service_area": JSONB(),
    "price": JSONB(),
    "lead_days": sa.BigInteger(),
}
EMPTY = {"widened": "[]", "similar": "[]", "versions": "{}", "degraded": "[]"}


def _versions(name: str) -> None:
    op.create_table(
        name,
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("id", UUID(as_uuid=True), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", "epoch", "version", name=f"pk_{name}"),
    )


def upgrade() -> None:
    _versions("offering_versions")
    _versions("provider_versions")
    for table in ("offering", "provider"):
        op.execute(
            f"INSERT INTO {table}_versions SELECT owner, id, epoch, version, body FROM {table}s"
        )
    for table in ("providers", "demands"):
        op.add_column(table, sa.Column("changed_xid", sa.BigInteger()))
        op.execute(f"UPDATE {table} SET changed_xid = pg_current_xact_id()::text::bigint")
        op.alter_column(table, "changed_xid", nullable=False)
        op.create_index(f"ix_{table}_changed_xid", table, ["changed_xid"])
    op.add_column("demands", sa.Column("model", sa.Text()))
    op.add_column("demands", sa.Column("vector", sa.LargeBinary()))
    _hash_texts()
    for name in FORMER:
        op.drop_column("offerings", name)
    for name, empty in EMPTY.items():
        op.add_column("matches", sa.Column(name, JSONB(), nullable=False, server_default=empty))
        op.alter_column("matches", name, server_default=None)
    op.create_table(
        "runs",
        sa.Column("id", UUID(as_uuid=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name="pk_runs"),
    )


def _hash_texts() -> None:
    op.add_column("offerings", sa.Column("text_hash", sa.LargeBinary()))
    connection = op.get_bind()
    for owner, id, body in connection.execute(sa.text("SELECT owner, id, body FROM offerings")).all():
        connection.execute(
            sa.text("UPDATE offerings SET text_hash = :hash WHERE owner = :owner AND id = :id"),
            {"hash": content_hash(document(body).passage), "owner": owner, "id": id},
        )
    op.alter_column("offerings", "text_hash", nullable=False)
    op.create_index("ix_offerings_text_hash", "offerings", ["text_hash"])


def downgrade() -> None:
    op.drop_table("runs")
    for name in EMPTY:
        op.drop_column("matches", name)
    for name, type_ in FORMER.items():
        op.add_column("offerings", sa.Column(name, type_))
        value = f"body->'{name}'" if isinstance(type_, JSONB) else f"(body->>'{name}')"
        cast = "::bigint" if isinstance(type_, sa.BigInteger) else ""
        op.execute(f"UPDATE offerings SET {name} = {value}{cast}")
        if name != "lead_days":
            op.alter_column("offerings", name, nullable=False)
    op.drop_index("ix_offerings_text_hash")
    op.drop_column("offerings", "text_hash")
    for name in ("model", "vector"):
        op.drop_column("demands", name)
    for table in ("providers", "demands"):
        op.drop_index(f"ix_{table}_changed_xid")
        op.drop_column(table, "changed_xid")
    for table in ("offering", "provider"):
        op.drop_table(f"{table}_versions")
