"""what the bid of each submission follows."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("price_estimate", "tip_estimate_lamports"):
        op.add_column("submissions", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    for name in ("priority_fee_basis", "tip_basis"):
        op.add_column("submissions", sa.Column(name, sa.Text, nullable=False, server_default=""))
