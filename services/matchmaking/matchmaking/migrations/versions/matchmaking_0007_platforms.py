"""How the platforms are."""

revision = "matchmaking_0007"
down_revision = "matchmaking_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
