"""a key for each run, which seals the entries of its streams; transitions of a run are numbered."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    key = sa.Column("stream_key", sa.Text(), server_default=sa.text("gen_random_uuid()::text"), nullable=False)
    op.add_column("runs", key)
    # Databases of a later revision 0003 have the numbers already.
    if "number" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("lifecycle")}:
        _number_transitions()


def _number_transitions() -> None:
    op.add_column("lifecycle", sa.Column("number", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE lifecycle SET number = o.number FROM (SELECT run_id, seq, spec_id, to_mode,"
        " row_number() OVER (PARTITION BY run_id ORDER BY seq, spec_id, to_mode) AS number FROM lifecycle) AS o"
        " WHERE (lifecycle.run_id, lifecycle.seq, lifecycle.spec_id, lifecycle.to_mode)"
        " = (o.run_id, o.seq, o.spec_id, o.to_mode)"
    )
    op.drop_constraint("lifecycle_pkey", "lifecycle", type_="primary")
    op.alter_column("lifecycle", "number", nullable=False)
    op.create_primary_key("lifecycle_pkey", "lifecycle", ["run_id", "number"])
