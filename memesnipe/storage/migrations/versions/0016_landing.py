"""what is measured of each submission, for the landing model."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NUMBERS = (
    "accepted_ns", "built_ns", "built_slot", "priority_fee_lamports", "tip_lamports", "signed_ns", "sent_ns", "sends",
    "absent_ns", "seen_ns", "landed_slot", "landed_unix_s", "outcome_ns",
)  # fmt: skip


def upgrade() -> None:
    """Apply."""
    for name in _NUMBERS:
        op.add_column("submissions", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("submissions", sa.Column("lanes", JSONB, nullable=False, server_default=sa.text("'{}'")))
    op.add_column("submissions", sa.Column("is_slipped", sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("outcome", "failure"):
        op.add_column("submissions", sa.Column(name, sa.Text, nullable=False, server_default=""))
