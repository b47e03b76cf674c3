"""rejected events by category, counted for the run and named for each event."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    counts = sa.Column("rejected_because", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("feed_cursors", counts)
    op.add_column("rejected_events", sa.Column("category", sa.Text(), server_default="", nullable=False))
