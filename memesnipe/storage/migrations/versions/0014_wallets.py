"""what the wallet of a live run held at its end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "wallets",
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("lamports", sa.BigInteger, nullable=False),
        sa.Column("tokens", JSONB, nullable=False),
        sa.Column("open_orders", sa.BigInteger, nullable=False),
    )
