"""paper money and live money are separate accounts; earlier rows belong to the paper account."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEYS = {
    "positions": ["run_id", "account", "spec_id", "token"],
    "equity": ["run_id", "account", "seq"],
    "breaker": ["run_id", "account"],
}


def upgrade() -> None:
    """Apply."""
    for table in ("orders", "trades", "refusals", *_KEYS):
        op.add_column(table, sa.Column("account", sa.Text(), server_default="paper", nullable=False))
    for table, key in _KEYS.items():
        op.drop_constraint(f"{table}_pkey", table, type_="primary")
        op.create_primary_key(f"{table}_pkey", table, key)
