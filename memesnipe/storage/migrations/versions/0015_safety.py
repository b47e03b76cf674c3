"""verdicts on tokens; the account of a command."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("commands", sa.Column("account", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "token_verdicts",
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("mint", sa.Text, primary_key=True),
        sa.Column("ts", sa.BigInteger, primary_key=True),
        sa.Column("safe", sa.Boolean, nullable=False),
        sa.Column("reasons", JSONB, nullable=False),
        sa.Column("sources", JSONB, nullable=False),
    )
