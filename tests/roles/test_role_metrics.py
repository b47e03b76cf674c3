"""Roles report what they did: trades by outcome, the risk of accounts, feeds, and the lag of the readers of streams."""

from typing import Any

import pytest
import redis
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from memesnipe.engine.orders import Fill, Order
from memesnipe.execution.landing_record import LandingRecord, LaneRecord
from memesnipe.feeds.base import FeedStatus
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import ParityRecord
from memesnipe.protocol.streams import EVENTS
from memesnipe.roles.role_metrics import cause_of, record_accounts, record_feed, record_landing, record_steps
from memesnipe.roles.stream_monitor import record_streams
from memesnipe.storage.database import time_statements
from memesnipe.storage.lease import LeaseLostError
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.breaker import Breaker, RiskLevel
from memesnipe.trading.gate import RefusalReason, RiskRefused
from memesnipe.trading.ledger import Ledger, LedgerPolicy, LedgerState
from memesnipe.trading.steps import DeskFill, Results, Step
from tests.roles.conftest import Reader, Stage
from tests.support import CURVE, price_message

ORDER = Order("s", 1, 0, BUY_SIDE, "entry", 0, 1, 2, 1.0, 100, 0, 5)


def value(registry: CollectorRegistry, name: str, actor: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"memesnipe_{name}", {"actor": actor, **labels})


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (sa.exc.OperationalError("select", None, Exception()), "database"),
        (redis.ConnectionError(), "redis"),
        (LeaseLostError(), "lease"),
        (ZeroDivisionError(), "other"),
    ],
)
def test_a_recovery_has_a_cause(error: Exception, cause: str) -> None:
    assert cause_of(error) == cause


def test_live_orders_are_counted_by_outcome_and_their_landing_is_timed_by_lanes() -> None:
    metrics, second = ActorMetrics("executor"), 10**9
    lanes = {"rpc": LaneRecord(3, 0, 1), "jito": LaneRecord(1, 2, 1), "sender": LaneRecord(0, 4)}
    landed = LandingRecord(sent_ns=second, absent_ns=2 * second, seen_ns=4 * second, landed_slot=9, lanes=lanes)
    for outcome in ("landed", "slipped"):
        landed.outcome = outcome
        record_landing(metrics, landed)
    bid = {"priority_fee_basis": "estimate", "tip_basis": "stale"}
    record_landing(metrics, LandingRecord(sent_ns=second, outcome="expired", lanes=lanes, **bid))
    bids = [
        value(metrics.registry, "live_bids_total", "executor", part=part, basis=basis)
        for part, basis in (("priority_fee", "estimate"), ("tip", "stale"), ("tip", "estimate"))
    ]
    assert bids == [1, 1, None], "orders without a bid are not counted"
    outcomes = {
        outcome: value(metrics.registry, "live_orders_total", "executor", outcome=outcome)
        for outcome in ("landed", "slipped", "expired", "failed")
    }
    assert outcomes == {"landed": 1, "slipped": 1, "expired": 1, "failed": None}
    assert value(metrics.registry, "landing_seconds_count", "executor", lanes="jito+rpc") == 2
    assert value(metrics.registry, "landing_seconds_sum", "executor", lanes="jito+rpc") == 4.0


def test_orders_refusals_and_trades_are_counted_by_reason() -> None:
    metrics = ActorMetrics("executor")
    parity = {"a": ParityRecord(1, 100.0), "b": ParityRecord(3, 20.0), "c": ParityRecord(0, 0.0)}
    failed, landed = (DeskFill(Fill(ORDER, 3, 1, 0, 0, 0, 5, 0, failure), 100.0) for failure in ("slippage", ""))
    results: Any = Results(3, 0, None, parity, [], {})  # type: ignore[arg-type]
    refused = RiskRefused(ORDER, RefusalReason.STALE_DATA, "")
    record_steps(
        metrics, [Step(1, 3, orders=[ORDER], refused=[refused, refused], fills=[failed, landed, landed])], 0.02
    )
    record_steps(metrics, [Step(1, 3, results=results)], 7.0)

    def of(name: str, **labels: str) -> float | None:
        return value(metrics.registry, name, "executor", **labels)

    assert of("orders_total", account="paper", side="buy") == 1
    assert of("orders_refused_total", account="paper", reason="stale_data") == 2
    assert of("trades_total", account="paper", side="buy", outcome="slippage") == 1
    assert of("trades_total", account="paper", side="buy", outcome="landed") == 2
    assert of("parity_error_bps") == 40.0
    assert of("event_to_order_seconds_count") == 1  # steps without an order have no latency
    assert of("event_to_order_seconds_sum") == 0.02


def test_the_risk_and_the_money_of_an_account_are_reported() -> None:
    metrics = ActorMetrics("position")
    state = LedgerState(cash_lamports=2 * LAMPORTS_PER_SOL, breaker=Breaker(0, 0.07, RiskLevel.WARNING), halted=True)
    state.market_state.sol_usd = 150.0
    record_accounts(metrics, {Account.PAPER: Ledger(LedgerPolicy(300.0, 0.5, 0.5, 1), state)})
    names = ("breaker_level", "size_multiplier", "halted", "drawdown_ratio", "equity_usd", "cash_usd", "open_positions")
    found = [value(metrics.registry, name, "position", account="paper") for name in names]
    assert found == [1.0, 0.5, 1.0, 0.07, 300.0, 300.0, 0.0]


def test_the_levels_of_the_breaker_ascend() -> None:
    assert list(RiskLevel) == [RiskLevel.NORMAL, RiskLevel.WARNING, RiskLevel.CRITICAL, RiskLevel.EMERGENCY]


def test_the_condition_of_a_feed_is_reported() -> None:
    metrics = ActorMetrics("market_data")
    record_feed(metrics, FeedStatus("pump", 12.5, is_untrusted=True, connections=2, rejected={"cut": 3, "odd": 4}))
    names = ("feed_silence_seconds", "feed_untrusted", "feed_connections", "feed_rejected", "feed_queued")
    found = [value(metrics.registry, name, "market_data", feed="pump") for name in names]
    assert found == [12.5, 1.0, 2.0, 7.0, 0.0]


def test_the_lag_of_a_reader_is_what_it_has_not_consumed(stage: Stage) -> None:
    market = stage.market([price_message(i, "A", "buy", CURVE, 1, 1) for i in range(5)])
    market.open()
    market.step()
    reader = stage.start(Reader)
    reader.open()
    reader.step()
    stage.has_read("position", EVENTS, 2)
    metrics, context = ActorMetrics("market_data"), stage.context()
    record_streams(context, metrics)
    context.close()

    def lag(reader: str, stream: str = EVENTS) -> float | None:
        return value(metrics.registry, "consumer_lag", "market_data", stream=stream, reader=reader)

    assert (lag("executor"), lag("position"), lag("strategy_factory")) == (0, 3, 5)
    assert lag("position", "executor_progress") == 1
    assert value(metrics.registry, "stream_length", "market_data", stream="events:price") == 5
    assert value(metrics.registry, "seq", "test") is None
    assert value(reader.metrics.registry, "entries_total", "test", stream=EVENTS) == 5


def test_statements_of_the_database_are_timed(database_url: str) -> None:
    engine, seconds = sa.create_engine(database_url), list[float]()
    time_statements(engine, seconds.append)
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_sleep(0.05)"))
        with pytest.raises(sa.exc.ProgrammingError):
            connection.execute(sa.text("SELECT nothing FROM nowhere"))
    engine.dispose()
    assert len(seconds) == 1
    assert 0.05 <= seconds[0] < 5
