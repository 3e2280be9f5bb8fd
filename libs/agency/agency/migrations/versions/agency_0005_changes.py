"""Changes as a feed."""

revision = "agency_0005"
down_revision = "agency_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
