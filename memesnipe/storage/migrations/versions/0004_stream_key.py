"""a key for each run, which seals the entries of its streams."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    key = sa.Column("stream_key", sa.Text(), server_default=sa.text("gen_random_uuid()::text"), nullable=False)
    op.add_column("runs", key)
