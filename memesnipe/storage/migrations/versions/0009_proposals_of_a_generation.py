"""generations have the number of their proposals, and the reason where there are none."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("generations", sa.Column("proposed", sa.BigInteger(), nullable=True))
    op.add_column("generations", sa.Column("reason", sa.Text(), nullable=True))
