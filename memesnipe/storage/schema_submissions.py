"""The tables of orders in execution at a venue with transactions.

The columns from `accepted_ns` on are a `memesnipe.execution.landing_record.LandingRecord`, by the names of its fields;
those that end with `_ns` have the time of the machine. No decision depends on them.
"""

from typing import Any

from sqlalchemy import LargeBinary, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from memesnipe.storage.schema import Base, run_key


class SubmissionRow(Base):
    """The submission of one order: `memesnipe.execution.submission.Submission` and what it is made from."""

    __tablename__ = "submissions"
    run_id: Mapped[int] = run_key()
    order_id: Mapped[str] = mapped_column(primary_key=True)
    mint: Mapped[str]
    intent: Mapped[dict[str, Any]]  # the order, as it was accepted
    status: Mapped[str] = mapped_column(server_default="intended")
    message: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("''"))  # before it is signed
    last_valid_height: Mapped[int] = mapped_column(server_default="0")
    transaction: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("''"))  # signed
    signature: Mapped[str] = mapped_column(server_default="")
    expired_slot: Mapped[int] = mapped_column(server_default="0")
    fill: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    contradiction: Mapped[str] = mapped_column(server_default="")
    accepted_ns: Mapped[int] = mapped_column(server_default="0")
    built_ns: Mapped[int] = mapped_column(server_default="0")
    built_slot: Mapped[int] = mapped_column(server_default="0")
    priority_fee_lamports: Mapped[int] = mapped_column(server_default="0")
    tip_lamports: Mapped[int] = mapped_column(server_default="0")
    priority_fee_basis: Mapped[str] = mapped_column(server_default="")
    price_estimate: Mapped[int] = mapped_column(server_default="0")
    tip_basis: Mapped[str] = mapped_column(server_default="")
    tip_estimate_lamports: Mapped[int] = mapped_column(server_default="0")
    signed_ns: Mapped[int] = mapped_column(server_default="0")
    sent_ns: Mapped[int] = mapped_column(server_default="0")
    sends: Mapped[int] = mapped_column(server_default="0")
    lanes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    absent_ns: Mapped[int] = mapped_column(server_default="0")
    seen_ns: Mapped[int] = mapped_column(server_default="0")
    landed_slot: Mapped[int] = mapped_column(server_default="0")
    landed_unix_s: Mapped[int] = mapped_column(server_default="0")
    is_slipped: Mapped[bool] = mapped_column(server_default=false())
    outcome: Mapped[str] = mapped_column(server_default="")
    outcome_ns: Mapped[int] = mapped_column(server_default="0")
    failure: Mapped[str] = mapped_column(server_default="")


class ReportRow(Base):
    """A report of a venue that the executor has not committed yet."""

    __tablename__ = "submission_reports"
    run_id: Mapped[int] = run_key()
    number: Mapped[int] = mapped_column(primary_key=True)  # in order, in each run
    payload: Mapped[str]  # `memesnipe.protocol.messages.ExecutionReport`


class WalletRow(Base):
    """What the wallet of a live run held when `memesnipe up` last ended."""

    __tablename__ = "wallets"
    run_id: Mapped[int] = run_key()
    lamports: Mapped[int]  # wrapped ones included
    tokens: Mapped[dict[str, Any]]  # raw, by mint
    open_orders: Mapped[int]  # without a final outcome at that time
