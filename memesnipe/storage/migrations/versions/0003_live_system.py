"""commands, applied controls with their events, leases, refusals, parity."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _run() -> list[sa.schema.SchemaItem]:
    return [sa.Column("run_id", sa.BigInteger(), nullable=False), sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"])]


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "commands",
        sa.Column("command_id", sa.BigInteger(), nullable=False),
        *_run(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("command_id"),
    )
    op.create_index("commands_waiting", "commands", ["run_id"], postgresql_where=sa.text("seq IS NULL"))
    op.create_table(
        "controls",
        *_run(),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("effective_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "number"),
    )
    op.create_table(
        "leases",
        *_run(),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "actor"),
    )
    op.create_table(
        "refusals",
        *_run(),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("spec_id", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("mint", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "order_id", "seq"),
    )
    op.add_column("trades", sa.Column("parity_bps", sa.Double(), nullable=True))
    op.add_column("strategies", sa.Column("parity_bps", sa.Double(), nullable=True))
    op.add_column("strategies", sa.Column("parity_fills", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("strategies", sa.Column("deflated_sharpe", sa.Double(), nullable=True))
    op.add_column("strategies", sa.Column("live_usd", sa.Double(), nullable=True))
    op.add_column("breaker", sa.Column("halted", sa.Boolean(), server_default=sa.false(), nullable=False))
