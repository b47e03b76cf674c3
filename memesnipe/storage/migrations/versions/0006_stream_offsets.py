"""consumer positions become stream offsets; the column of the last entry becomes its number."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.rename_table("consumer_positions", "stream_offsets")
    op.alter_column("stream_offsets", "position", new_column_name="number")
