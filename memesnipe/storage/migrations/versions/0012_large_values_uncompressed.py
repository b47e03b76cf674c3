"""large messages and snapshots are stored without compression, which a commit would wait for."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; values that are stored already stay compressed."""
    op.execute("ALTER TABLE messages ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE snapshots ALTER COLUMN state SET STORAGE EXTERNAL")
