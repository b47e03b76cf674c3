"""orders in execution at a venue with transactions, and its reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "submissions",
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("order_id", sa.Text, primary_key=True),
        sa.Column("mint", sa.Text, nullable=False),
        sa.Column("intent", JSONB, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="intended"),
        sa.Column("message", sa.LargeBinary, nullable=False, server_default=sa.text("''")),
        sa.Column("last_valid_height", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("transaction", sa.LargeBinary, nullable=False, server_default=sa.text("''")),
        sa.Column("signature", sa.Text, nullable=False, server_default=""),
        sa.Column("expired_slot", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("fill", JSONB, nullable=True),
        sa.Column("contradiction", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "submission_reports",
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("payload", sa.Text, nullable=False),
    )
