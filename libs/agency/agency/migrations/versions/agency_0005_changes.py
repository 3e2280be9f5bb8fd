"""Providers and offerings in the order of their changes, for whoever reads them from here."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0005"
down_revision = "agency_0004"
branch_labels = None
depends_on = None

STAMP = """
CREATE FUNCTION agency_stamp() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.changed_xid := pg_current_xact_id()::text::bigint; RETURN NEW; END $$
"""


def upgrade() -> None:
    op.execute(STAMP)
    for table in ("providers", "offerings"):
        op.add_column(
            table, sa.Column("changed_xid", sa.BigInteger, nullable=False, server_default=sa.text("0"))
        )
        op.create_index(f"ix_{table}_changed_xid", table, ["changed_xid", "id"])
        op.execute(
            f"CREATE TRIGGER {table}_stamp BEFORE INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION agency_stamp()"
        )
    # Copies are written by one statement that knows no default of ours.
    op.alter_column("opportunities", "place", server_default=sa.text("uuidv7()"))
