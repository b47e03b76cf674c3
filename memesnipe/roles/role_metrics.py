"""What the roles report as metrics; the names are those of `memesnipe.telemetry.catalogue`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import redis
from sqlalchemy.exc import SQLAlchemyError

from memesnipe.execution.landing_record import LandingRecord
from memesnipe.feeds.base import FeedStatus
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S, SIDE_NAMES
from memesnipe.protocol.account import Account
from memesnipe.storage.lease import LeaseLostError
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.breaker import RiskLevel, size_multiplier
from memesnipe.trading.ledger import Ledger
from memesnipe.trading.lifecycle import Mode
from memesnipe.trading.portfolio import Portfolio
from memesnipe.trading.steps import Results, Step

_LEVELS: Final = tuple(RiskLevel)
_MODES: Final = tuple(mode for mode in Mode if mode is not Mode.RETIRED)


def cause_of(error: BaseException) -> str:
    """Return what an actor has to recover from: database | redis | lease | other."""
    if isinstance(error, SQLAlchemyError):
        return "database"
    if isinstance(error, redis.RedisError):
        return "redis"
    return "lease" if isinstance(error, LeaseLostError) else "other"


def record_feed(metrics: ActorMetrics, status: FeedStatus) -> None:
    """Record the condition of a live feed."""
    values = {
        "silence_seconds": status.silent_s,
        "untrusted": float(status.is_untrusted),
        "connections": status.connections,
        "failures": status.failures,
        "queued": status.queued,
        "full": status.full,
        "rejected": sum(status.rejected.values()),
        "late": status.late,
    }
    for name, value in values.items():
        metrics.set(f"feed_{name}", value, feed=status.name)


def record_steps(metrics: ActorMetrics, steps: Sequence[Step], seconds: float) -> None:
    """Count the orders, refusals and trades of committed steps.

    Args:
        metrics: of the executor.
        steps: all steps of the commit.
        seconds: from reading their events to their commit.
    """
    for step in steps:
        account = str(step.account)
        for order in step.orders:
            metrics.add("orders", account=account, side=SIDE_NAMES[order.side])
        for refused in step.refused:
            metrics.add("orders_refused", account=account, reason=str(refused.reason))
        for done in step.fills:
            fill = done.fill
            outcome = fill.failure or "landed"
            metrics.add("trades", account=account, side=SIDE_NAMES[fill.order.side], outcome=outcome)
        if step.results is not None:
            _record_parity(metrics, step.results)
    if any(step.orders for step in steps):
        metrics.observe("event_to_order_seconds", seconds)


def record_landing(metrics: ActorMetrics, record: LandingRecord) -> None:
    """Count the outcome of a live order and what its bid followed, and the time to its block, if it reached one."""
    metrics.add("live_orders", outcome=record.outcome)
    for part, basis in (("priority_fee", record.priority_fee_basis), ("tip", record.tip_basis)):
        if basis:
            metrics.add("live_bids", part=part, basis=basis)
    if record.landed_slot and record.landed_ns:
        metrics.observe("landing_seconds", (record.landed_ns - record.sent_ns) / NS_PER_S, lanes=record.accepted_by)


def _record_parity(metrics: ActorMetrics, results: Results) -> None:
    """Record the mean of the strategies' parity errors, weighted by their fills."""
    fills = sum(parity.fills for parity in results.parity.values())
    if fills:
        total = sum(parity.fills * parity.error_bps for parity in results.parity.values())
        metrics.set("parity_error_bps", total / fills)


def record_accounts(metrics: ActorMetrics, ledgers: Mapping[Account, Ledger]) -> None:
    """Record the money and the risk of every account."""
    for account, ledger in ledgers.items():
        state = ledger.state
        level, usd = state.breaker.level, state.market_state.sol_usd / LAMPORTS_PER_SOL
        values = {
            "breaker_level": _LEVELS.index(level),
            "size_multiplier": size_multiplier(level),
            "halted": float(state.halted),
            "drawdown_ratio": state.breaker.drawdown,
            "equity_usd": ledger.equity_lamports * usd,
            "cash_usd": state.cash_lamports * usd,
            "open_positions": sum(map(len, state.positions.values())),
        }
        for name, value in values.items():
            metrics.set(name, value, account=str(account))


def record_strategies(metrics: ActorMetrics, portfolio: Portfolio) -> None:
    """Record the number, evidence and capital of the strategies of each mode, after a decision."""
    count: dict[str, int] = defaultdict(int)
    proven: dict[str, int] = defaultdict(int)
    best: dict[str, float] = defaultdict(float)
    usd: dict[str, float] = defaultdict(float)
    e_values = portfolio.records.figures["e_value"].tolist()
    for managed, e_value in zip(portfolio.state.strategies.values(), e_values, strict=True):
        mode = managed.mode
        count[mode] += 1
        proven[mode] += managed.is_proven
        best[mode] = max(best[mode], e_value)
        usd[mode] += managed.allocation_usd
    for mode in _MODES:
        metrics.set("strategies", count[mode], mode=str(mode))
        metrics.set("strategies_proven", proven[mode], mode=str(mode))
        metrics.set("best_e_value", best[mode], mode=str(mode))
        metrics.set("allocated_usd", usd[mode], mode=str(mode))
