"""the evaluations on the holdout, which were the last of each search, have a stage of their own."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(
        """
        UPDATE evaluation_counts SET stage = 'holdout', index = 0
        FROM (
            SELECT search_id, max(index) AS last FROM evaluation_counts WHERE stage = 'finish' GROUP BY search_id
        ) ends
        WHERE evaluation_counts.search_id = ends.search_id AND stage = 'finish' AND index = ends.last
        """
    )
