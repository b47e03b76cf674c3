"""a feed is resumed by its own token; the feeds so far were resumed by the count of their events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("feed_cursors", sa.Column("token", postgresql.JSONB(), nullable=True))
    op.execute("UPDATE feed_cursors SET token = to_jsonb(position)")
