"""the position of a close command; origins of genomes, the archive, and the luck bar of each generation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("commands", sa.Column("token", sa.BigInteger, nullable=False, server_default="-1"))
    op.add_column("commands", sa.Column("mint", sa.Text, nullable=False, server_default=""))
    op.add_column("evaluations", sa.Column("mix", sa.Text, nullable=True))
    op.add_column("evaluations", sa.Column("operator", sa.Text, nullable=True))
    op.add_column("evaluations", sa.Column("parents", JSONB, nullable=True))
    op.create_index("evaluations_of_spec", "evaluations", ["run_id", "spec_id"])
    op.add_column("generations", sa.Column("trials", sa.BigInteger, nullable=True))
    for name in ("best_sharpe", "luck_sharpe", "best_skill", "needed_skill", "pbo"):
        op.add_column("generations", sa.Column(name, sa.Double(), nullable=True))
    op.create_table(
        "elites",
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("cell", sa.Text, primary_key=True),
        sa.Column("spec_id", sa.Text, nullable=False),
        sa.Column("fitness", sa.Double(), nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
    )
