"""the audit log of manual actions."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "actions",
        sa.Column("action_id", sa.BigInteger, primary_key=True),
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.run_id"), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec_id", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("refused", sa.Text, nullable=False),
        sa.Column("command_id", sa.BigInteger, sa.ForeignKey("commands.command_id"), nullable=True),
    )
    op.create_index("actions_of_run", "actions", ["run_id", "action_id"])
