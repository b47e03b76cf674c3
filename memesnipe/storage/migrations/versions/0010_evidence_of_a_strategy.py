"""the evidence of a strategy, against the threshold that ends its probation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("strategies", sa.Column("evidence", postgresql.JSONB(), nullable=True))
