"""searches on tapes, and the count of every evaluation ever made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "searches",
        sa.Column("search_id", sa.BigInteger(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("tape", sa.Text(), nullable=False),
        sa.Column("key", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("search_id"),
    )
    op.create_table(
        "search_generations",
        sa.Column("search_id", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("evaluations", sa.BigInteger(), nullable=False),
        sa.Column("best_fitness", sa.Double(), nullable=False),
        sa.Column("median_fitness", sa.Double(), nullable=False),
        sa.Column("pbo", sa.Double(), nullable=False),
        sa.Column("cells", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["search_id"], ["searches.search_id"]),
        sa.PrimaryKeyConstraint("search_id", "index"),
    )
    op.create_table(
        "evaluation_counts",
        sa.Column("search_id", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("evaluations", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["search_id"], ["searches.search_id"]),
        sa.PrimaryKeyConstraint("search_id", "stage", "index"),
    )
    op.create_index("evaluation_counts_of_market", "evaluation_counts", ["market"])
