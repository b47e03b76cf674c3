"""Each rule of the risk gate by itself: what it refuses, what it names, and that exits are hardly ever refused."""

from dataclasses import replace

import pytest

from memesnipe.engine.orders import Order
from memesnipe.execution.paper import PaperVenue
from memesnipe.execution.reporting import ReportingVenue
from memesnipe.market.events import (
    AMM,
    BUY_SIDE,
    DEPTH,
    DEV_TRANSFER,
    ONCHAIN,
    SELL_SIDE,
    SHORT_SIDE,
    STALE,
    empty,
)
from memesnipe.market.state import TokenMarket
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.desk import Desk
from memesnipe.trading.gate import Limits, RefusalReason, RiskRefused
from memesnipe.trading.ledger import LedgerPolicy
from tests.payloads import command
from tests.support import CURVE, NO_STOPS, SOL_USD, START_TS, SURE, Market, passed

PER_TOKEN_USD = CURVE.sol_lamports / 1e9 * SOL_USD / (CURVE.token_raw / 1e6)


def _desk(limits: Limits, policy: LedgerPolicy = NO_STOPS) -> Desk:
    """A desk that has seen one trade of tokens 0 and 1."""
    desk = Desk(PaperVenue(SURE), limits, policy)
    desk.state.allocations_usd = {"abc": 1000.0, "def": 1000.0}
    passed(desk, Market().trade(1).trade(1, "B").events())
    return desk


def _decision(side: int = BUY_SIDE, no: int = 1, token: int = 0, spec_id: str = "abc") -> Order:
    ts = START_TS + 10**9
    return Order(spec_id, no, token, side, "signal", ts, 2, ts + SURE.latency_ns, 0.1, 1, 1, 1)


def _reason(outcome: Order | RiskRefused | None) -> RefusalReason | None:
    assert outcome is not None
    return outcome.reason if isinstance(outcome, RiskRefused) else None


def _market(desk: Desk, **changes: float) -> None:
    desk.state.market_state.tokens[0] = replace(desk.state.market_state.tokens[0], **changes)


def test_nothing_is_refused_without_a_reason() -> None:
    strict = Limits(1e9, 1e9, 1e9, 10, 10**9, 0.2, 0.5, 0.5)
    assert _reason(_desk(strict).on_decision(_decision())) is None


def test_a_halt_refuses_entries_and_exits_and_cancels_open_orders() -> None:
    desk = _desk(Limits(1e9))
    order = desk.on_decision(_decision())
    assert desk.apply(command("halt"))
    assert desk.cancel_not_permitted() == [order]
    assert desk.state.pending == []
    assert _reason(desk.on_decision(_decision(no=2))) is RefusalReason.HALTED
    assert desk.apply(command("risk_reset"))
    assert _reason(desk.on_decision(_decision(no=3))) is None
    passed(desk, Market().talk(9).events())
    assert desk.apply(command("halt"))
    assert _reason(desk.on_decision(_decision(SELL_SIDE, 4))) is RefusalReason.HALTED


@pytest.mark.parametrize(
    ("level", "entry", "leaving", "called_back"),
    [
        (RiskLevel.NORMAL, None, None, []),
        (RiskLevel.WARNING, None, None, []),
        (RiskLevel.CRITICAL, RefusalReason.BREAKER, None, ["entry"]),
        (RiskLevel.EMERGENCY, RefusalReason.BREAKER, RefusalReason.BREAKER, ["exit", "entry"]),
    ],
)
def test_the_effect_of_each_level_on_entries_exits_and_open_orders(
    level: RiskLevel, entry: RefusalReason | None, leaving: RefusalReason | None, called_back: list[str]
) -> None:
    desk = _desk(Limits(1e9))
    for token in (0, 1):
        desk.on_decision(_decision(no=token + 1, token=token))
    passed(desk, Market().talk(9).events())
    names = {desk.on_decision(_decision(SELL_SIDE, 3)): "exit", desk.on_decision(_decision(spec_id="def")): "entry"}
    desk.state.ledger.breaker.level = level
    assert [names[order] for order in desk.cancel_not_permitted()] == called_back
    assert len(desk.state.pending) == 2 - len(called_back)
    assert _reason(desk.on_decision(_decision(SELL_SIDE, 4, token=1))) is leaving
    assert _reason(desk.on_decision(_decision(spec_id="def", token=1, no=2))) is entry


def test_a_late_event_opens_no_position() -> None:
    desk = _desk(Limits(1e9))
    late = Market().trade(2).events()
    late["flags"] |= STALE
    passed(desk, late)
    assert _reason(desk.on_decision(_decision())) is RefusalReason.STALE_DATA
    passed(desk, Market().trade(3).events())
    assert _reason(desk.on_decision(_decision())) is None


def test_without_trades_of_any_token_other_events_open_no_position() -> None:
    desk = _desk(Limits(1e9, max_data_age_ns=5 * 10**9))
    market = Market().trade(1).talk(6)
    passed(desk, market.events())
    assert _reason(desk.on_decision(_decision())) is None
    passed(desk, market.talk(7).events()[-1:])
    assert _reason(desk.on_decision(_decision(token=1))) is RefusalReason.STALE_DATA
    passed(desk, market.trade(8, "C").events()[-1:])
    assert _reason(desk.on_decision(_decision(token=1))) is None, "a quiet token is as good as its last trade"


def test_entries_never_exceed_the_cash_of_the_account() -> None:
    """Two strategies that were given all of it each; and the cash of failed orders, sales and fees counts."""
    desk = _desk(Limits(1e9), replace(NO_STOPS, capital_usd=100.0))
    assert _reason(desk.on_decision(replace(_decision(), size=0.09))) is None
    refused = desk.on_decision(replace(_decision(spec_id="def", token=1), size=0.09))
    assert _reason(refused) is RefusalReason.NO_CASH
    (fill,) = passed(desk, Market().talk(9).events())
    assert desk.state.cash_lamports == int(100.0 / SOL_USD * 1e9) + fill.cash_change_lamports
    assert _reason(desk.on_decision(replace(_decision(spec_id="def", token=1), size=0.09))) is RefusalReason.NO_CASH
    assert _reason(desk.on_decision(replace(_decision(spec_id="def", token=1), size=0.009))) is None


def test_the_price_rule_applies_to_pump_fun_pools_only() -> None:
    desk = _desk(Limits(1e9, max_price_deviation=0.1))
    pool = desk.state.market_state.tokens[0].pool._replace(venue=AMM)
    _market(desk, price_usd=1.0, pool=pool)
    assert _reason(desk.on_decision(_decision())) is None


def test_a_price_that_deviates_from_the_pool_is_refused() -> None:
    for ratio, why in ((1.0, None), (1.09, None), (1.11, RefusalReason.PRICE), (0.89, RefusalReason.PRICE)):
        desk = _desk(Limits(1e9, max_price_deviation=0.1))
        pool = desk.state.market_state.tokens[0].pool
        per_token = pool.sol_lamports / 1e9 * SOL_USD / (pool.token_raw / 1e6)
        _market(desk, price_usd=per_token * ratio)
        assert _reason(desk.on_decision(_decision())) is why


def test_a_token_with_an_exiting_developer_or_pulled_liquidity_is_refused() -> None:
    events = empty(2)
    events["ts"], events["seq"], events["token"] = START_TS + 2 * 10**9, [3, 4], [0, 1]
    events["kind"] = [ONCHAIN, DEPTH]
    events[0]["action"], events[0]["amount_usd"] = DEV_TRANSFER, 1200.0
    events[1]["change_usd"], events[1]["liquidity_usd"] = -1500.0, 500.0
    desk = _desk(Limits(1e9, max_dev_out=0.5, max_pull=0.5))
    passed(desk, events)
    market: TokenMarket = desk.state.market_state.tokens[1]
    assert (market.worst_pull, market.liquidity_usd) == (0.75, 500.0)
    assert [_reason(desk.on_decision(_decision(token=token))) for token in (0, 1)] == [RefusalReason.UNSAFE_TOKEN] * 2
    assert isinstance(desk.on_decision(_decision(SHORT_SIDE)), RiskRefused)  # there is no perp, so nothing to be had
    assert _reason(_desk(Limits(1e9, max_dev_out=0.5, max_pull=0.5)).on_decision(_decision())) is None


def test_a_short_is_refused_where_the_venue_trades_no_perps() -> None:
    desk = Desk(ReportingVenue(SURE), Limits(1e9), NO_STOPS)
    desk.state.allocations_usd = {"abc": 100.0}
    passed(desk, Market().trade(1).events())
    refused = desk.on_decision(_decision(SHORT_SIDE))
    assert isinstance(refused, RiskRefused)
    assert (refused.reason, refused.detail) == (RefusalReason.NO_VENUE, "there is no live venue for perps")
    assert isinstance(desk.on_decision(_decision()), Order), "what is no perp is traded"


def test_exposure_counts_holdings_and_open_entries_of_all_strategies() -> None:
    desk = _desk(Limits(1e9, max_token_exposure_usd=150.0, max_total_exposure_usd=250.0))
    assert _reason(desk.on_decision(_decision())) is None
    assert _reason(desk.on_decision(_decision(spec_id="def"))) is RefusalReason.TOKEN_EXPOSURE
    passed(desk, Market().talk(9).events())
    assert _reason(desk.on_decision(_decision(spec_id="def", no=2))) is RefusalReason.TOKEN_EXPOSURE
    assert _reason(desk.on_decision(_decision(token=1, no=2))) is None
    assert desk.state.exposure_lamports() == desk.state.exposure_lamports(0) + desk.state.exposure_lamports(1)
    assert _reason(desk.on_decision(_decision(token=1, spec_id="def", no=3))) is RefusalReason.TOKEN_EXPOSURE
    wide = _desk(Limits(1e9, max_total_exposure_usd=150.0))
    assert _reason(wide.on_decision(_decision())) is None
    assert _reason(wide.on_decision(_decision(token=1, no=2))) is RefusalReason.TOTAL_EXPOSURE


def test_orders_per_minute_of_event_time_are_limited() -> None:
    desk = _desk(Limits(1e9, max_orders_per_minute=1))
    assert _reason(desk.on_decision(_decision())) is None
    assert _reason(desk.on_decision(_decision(token=1, no=2))) is RefusalReason.ORDER_RATE
    desk.state.market_state.last_ts += 60 * 10**9
    assert _reason(desk.on_decision(_decision(token=1, no=2))) is None


def test_the_pool_price_of_the_gate_is_the_price_of_the_curve() -> None:
    desk = _desk(Limits(1e9))
    assert desk.state.market_state.tokens[0].price_usd == pytest.approx(PER_TOKEN_USD, rel=1e-3)
