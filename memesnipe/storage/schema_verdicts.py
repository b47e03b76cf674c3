"""The table of verdicts on tokens."""

from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from memesnipe.storage.schema import Base, run_key


class TokenVerdictRow(Base):
    """A verdict on a token: `memesnipe.solana.token_safety.SafetyVerdict`. None is replaced by a later one."""

    __tablename__ = "token_verdicts"
    run_id: Mapped[int] = run_key()
    mint: Mapped[str] = mapped_column(primary_key=True)
    ts: Mapped[int] = mapped_column(primary_key=True)  # of this machine's clock
    safe: Mapped[bool]
    reasons: Mapped[list[dict[str, str]]] = mapped_column(JSONB)  # against it: `check` and `detail` of each
    sources: Mapped[dict[str, Any]]  # what each check looked at
