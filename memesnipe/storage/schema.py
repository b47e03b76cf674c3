"""The tables. All trading records belong to a run: one timeline of one market.

Money is whole lamports and raw tokens; `ts` is ns since 1970 UTC, of the event; only `_at` columns have machine time.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy import false as sa_false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The base of all tables, with the column type of each Python type."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this attribute
        int: BigInteger,
        str: Text,
        dict[str, Any]: JSONB,
        datetime: DateTime(timezone=True),
    }


def run_key() -> Mapped[int]:
    """Return the column of the run id, which is part of every key."""
    return mapped_column(ForeignKey("runs.run_id"), primary_key=True)


def account_column(*, key: bool = False) -> Mapped[str]:
    """Return the column of the account (`memesnipe.protocol.account.Account`); rows of earlier versions are paper."""
    return mapped_column(primary_key=key, server_default="paper")


class RunRow(Base):
    """One timeline of one market, from its first event to its last, across restarts."""

    __tablename__ = "runs"
    run_id: Mapped[int] = mapped_column(primary_key=True)
    feed: Mapped[str]  # the tape or live feed; an unfinished run of the same feed is resumed
    status: Mapped[str]  # open | finished
    options: Mapped[dict[str, Any]]  # the feed options of the last start
    settings: Mapped[dict[str, Any]]  # the settings that affect decisions, without secrets
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    stream_key: Mapped[str] = mapped_column(server_default=text("gen_random_uuid()::text"))  # of the entries' MACs


class FeedCursorRow(Base):
    """The progress of market_data: its position in the feed, and the events published."""

    __tablename__ = "feed_cursors"
    run_id: Mapped[int] = run_key()
    position: Mapped[int] = mapped_column(default=0)  # events taken from the feed, rejected ones included
    token: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)  # from which the feed resumes
    seq: Mapped[int] = mapped_column(default=0)  # events published
    ts: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    rejected_because: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # category -> count
    decision_seq: Mapped[int] = mapped_column(default=0)  # the last event after which decisions are due
    ended: Mapped[bool] = mapped_column(default=False)


class TokenRow(Base):
    """The mint of each token index of a run."""

    __tablename__ = "tokens"
    run_id: Mapped[int] = run_key()
    token: Mapped[int] = mapped_column(primary_key=True)
    mint: Mapped[str]


class RejectedEventRow(Base):
    """A rejected event, with category and reason."""

    __tablename__ = "rejected_events"
    run_id: Mapped[int] = run_key()
    position: Mapped[int] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(server_default="")
    reason: Mapped[str]
    raw: Mapped[str]


class StreamOffsetRow(Base):
    """The offset of an actor in a stream; committed together with the effects of the entries consumed."""

    __tablename__ = "stream_offsets"
    run_id: Mapped[int] = run_key()
    actor: Mapped[str] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)  # "events" stands for all events:* merged
    number: Mapped[int]  # of the last entry consumed
    seq: Mapped[int]  # the event that this entry belongs to
    consumed: Mapped[int]  # entries consumed, counted one by one


class MessageRow(Base):
    """The outbox: every message of the streams other than events, numbered; Redis carries copies."""

    __tablename__ = "messages"
    run_id: Mapped[int] = run_key()
    stream: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    payload: Mapped[str]  # the JSON exactly as published; large ones are stored without compression (migration 0012)


class SnapshotRow(Base):
    """The complete state of an actor after event ``seq``."""

    __tablename__ = "snapshots"
    run_id: Mapped[int] = run_key()
    actor: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    state: Mapped[bytes]


class GenerationRow(Base):
    """One generation of the search."""

    __tablename__ = "generations"
    run_id: Mapped[int] = run_key()
    index: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    window_events: Mapped[int]
    evaluations: Mapped[int]
    best_fitness: Mapped[float]
    median_fitness: Mapped[float]
    seconds: Mapped[float]
    proposed: Mapped[int | None]  # strategies that it proposed; None in rows of earlier versions
    reason: Mapped[str | None]  # why it proposed none; "" where it did
    trials: Mapped[int | None]  # evaluations of the run up to here; None in rows of earlier versions, as all below
    best_sharpe: Mapped[float | None]  # in validation, of the genome that most probably has skill; annualised
    luck_sharpe: Mapped[float | None]  # the greatest that so many trials without skill are expected to reach
    best_skill: Mapped[float | None]  # probability of skill of that genome: its deflated Sharpe ratio
    needed_skill: Mapped[float | None]  # of a proposal
    pbo: Mapped[float | None]  # probability of backtest overfitting


class EvaluationRow(Base):
    """One genome that reached the whole window of a generation; `GenerationRow.evaluations` counts all of them."""

    __tablename__ = "evaluations"
    __table_args__ = (Index("evaluations_of_spec", "run_id", "spec_id"),)
    run_id: Mapped[int] = run_key()
    generation: Mapped[int] = mapped_column(primary_key=True)
    spec_id: Mapped[str] = mapped_column(primary_key=True)
    fitness: Mapped[float]
    train_sharpe: Mapped[float]
    validation_sharpe: Mapped[float]
    mix: Mapped[str | None]  # its families, such as momentum_5m+social_buzz; None in rows of earlier versions
    operator: Mapped[str | None]  # `memesnipe.evolution.origins.Operator`
    parents: Mapped[list[str] | None] = mapped_column(JSONB)  # spec ids


class EliteRow(Base):
    """An elite of the archive of the search after its last generation (`memesnipe.evolution.archive`)."""

    __tablename__ = "elites"
    run_id: Mapped[int] = run_key()
    cell: Mapped[str] = mapped_column(primary_key=True)  # families/holding time/turnover
    spec_id: Mapped[str]
    fitness: Mapped[float]
    generation: Mapped[int]  # of its latest evaluation


class StrategyRow(Base):
    """A strategy, its mode, and its result in the arena."""

    __tablename__ = "strategies"
    run_id: Mapped[int] = run_key()
    spec_id: Mapped[str] = mapped_column(primary_key=True)
    genome: Mapped[dict[str, Any]]
    generation: Mapped[int]
    mode: Mapped[str]  # simulating | paper | live | retired
    since_seq: Mapped[int]
    allocation_usd: Mapped[float]
    result: Mapped[dict[str, Any] | None]
    parity_bps: Mapped[float | None]  # mean deviation of its fills from the simulated ones
    parity_fills: Mapped[int] = mapped_column(server_default="0")  # fills compared
    deflated_sharpe: Mapped[float | None]
    evidence: Mapped[dict[str, Any] | None]  # of `memesnipe.roles.portfolio`: against its threshold
    live_usd: Mapped[float | None]  # live capital that it has earned; None before live


class LifecycleRow(Base):
    """One change of a strategy's mode; numbered from 1 in each run."""

    __tablename__ = "lifecycle"
    run_id: Mapped[int] = run_key()
    number: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    spec_id: Mapped[str]
    from_mode: Mapped[str]
    to_mode: Mapped[str]
    reason: Mapped[str]


class AllocationRow(Base):
    """The capital allocated to a strategy after event ``seq``, and the event from which on the desk used it."""

    __tablename__ = "allocations"
    run_id: Mapped[int] = run_key()
    seq: Mapped[int] = mapped_column(primary_key=True)
    spec_id: Mapped[str] = mapped_column(primary_key=True)
    allocation_usd: Mapped[float]
    effective_seq: Mapped[int | None]


class OrderRow(Base):
    """The intent ledger: every order of every account, stored before it can have an effect."""

    __tablename__ = "orders"
    run_id: Mapped[int] = run_key()
    order_id: Mapped[str] = mapped_column(primary_key=True)  # strategy and order number: resending is idempotent
    account: Mapped[str] = account_column()
    spec_id: Mapped[str]
    token: Mapped[int]
    mint: Mapped[str]
    side: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]  # `memesnipe.protocol.order_status.OrderStatus`
    decided_seq: Mapped[int]
    decided_ts: Mapped[int]
    due_ts: Mapped[int]
    budget_lamports: Mapped[int]
    token_raw: Mapped[int]
    expected: Mapped[int]


class TradeRow(Base):
    """One outcome of an order: a fill (PAPER or LIVE), or a failure (FAILED) that paid its fee.

    A purchase and its sale are two rows; the `trades` of reports and backtests are round trips: they count the sales.
    """

    __tablename__ = "trades"
    __table_args__ = (Index("trades_latest", "run_id", "seq"),)
    run_id: Mapped[int] = run_key()
    order_id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = account_column()
    spec_id: Mapped[str]
    token: Mapped[int]
    mint: Mapped[str]
    side: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str]
    failure: Mapped[str]
    ts: Mapped[int]
    seq: Mapped[int]
    token_raw: Mapped[int]
    sol_lamports: Mapped[int]
    pool_fee_lamports: Mapped[int]
    network_fee_lamports: Mapped[int]
    value_usd: Mapped[float]
    parity_bps: Mapped[float | None]  # how much worse its price is than that of the simulated fill


class PositionRow(Base):
    """The open or closed position of a strategy in a token."""

    __tablename__ = "positions"
    run_id: Mapped[int] = run_key()
    account: Mapped[str] = account_column(key=True)
    spec_id: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[int] = mapped_column(primary_key=True)
    mint: Mapped[str]
    token_raw: Mapped[int]  # 0: closed
    cost_lamports: Mapped[int]
    value_lamports: Mapped[int]
    realised_lamports: Mapped[int]
    opened_ts: Mapped[int]
    seq: Mapped[int]


class EquityRow(Base):
    """The value of an account at each mark."""

    __tablename__ = "equity"
    run_id: Mapped[int] = run_key()
    account: Mapped[str] = account_column(key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    ts: Mapped[int]
    equity_lamports: Mapped[int]
    equity_usd: Mapped[float]
    cash_usd: Mapped[float]
    drawdown: Mapped[float]


class BreakerRow(Base):
    """The current state of the circuit breaker of an account."""

    __tablename__ = "breaker"
    run_id: Mapped[int] = run_key()
    account: Mapped[str] = account_column(key=True)
    level: Mapped[str]
    drawdown: Mapped[float]
    peak_lamports: Mapped[int]
    seq: Mapped[int]
    halted: Mapped[bool] = mapped_column(server_default=sa_false())
