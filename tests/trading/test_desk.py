from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from memesnipe.engine.fills import network_fee_lamports
from memesnipe.engine.orders import Fill, Order
from memesnipe.execution.paper import PaperVenue
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, SELL_SIDE
from memesnipe.market.pools import moved, quote_buy
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.desk import Desk
from memesnipe.trading.desk_state import DeskState
from memesnipe.trading.gate import Limits, RefusalReason, RiskRefused
from tests.support import NO_STOPS, SOL_USD, START_TS, SURE, Market, passed

NETWORK = network_fee_lamports(SURE)
STATE = TypeAdapter(DeskState)


def _desk(allocation_usd: float = 100.0, *, max_position_usd: float = 1e9, spec_id: str = "abc") -> Desk:
    """A desk that has seen one trade of token 0."""
    desk = Desk(PaperVenue(SURE), Limits(max_position_usd), NO_STOPS)
    desk.state.allocations_usd = {spec_id: allocation_usd}
    _pass(desk, Market().trade(1))
    return desk


def _pass(desk: Desk, market: Market) -> list[Fill]:
    return passed(desk, market.events())


def _decision(side: int, no: int = 1, *, token: int = 0, size: float = 0.5, spec_id: str = "abc") -> Order:
    ts = START_TS + 10**9
    return Order(spec_id, no, token, side, "signal", ts, 1, ts + SURE.latency_ns, size, 1, 1, 1)


def _reason(outcome: Order | RiskRefused | None) -> RefusalReason | None:
    return outcome.reason if isinstance(outcome, RiskRefused) else None


def _usd(lamports: int) -> float:
    return lamports / LAMPORTS_PER_SOL * SOL_USD


def _bought(desk: Desk) -> Desk:
    assert isinstance(desk.on_decision(_decision(BUY_SIDE)), Order)
    assert not _pass(desk, Market().talk(9))[0].failure
    return desk


@pytest.mark.parametrize(
    ("allocation", "cap", "level", "usd"),
    [
        (100.0, 1e9, RiskLevel.NORMAL, 50.0),
        (100.0, 1e9, RiskLevel.WARNING, 25.0),
        (100.0, 20.0, RiskLevel.NORMAL, 20.0),
        (100.0, 20.0, RiskLevel.WARNING, 10.0),
        (40.0, 1e9, RiskLevel.NORMAL, 20.0),
    ],
)
def test_a_buy_is_sized_by_allocation_level_and_cap(
    allocation: float, cap: float, level: RiskLevel, usd: float
) -> None:
    desk = _desk(allocation, max_position_usd=cap)
    desk.state.ledger.breaker.level = level
    order = desk.on_decision(_decision(BUY_SIDE))
    assert isinstance(order, Order)
    assert _usd(order.budget_lamports) == pytest.approx(usd)
    assert order.expected == quote_buy(desk.state.market_state.tokens[0].pool, order.budget_lamports).token_raw
    assert (order.order_no, order.due_ts) == (1, _decision(BUY_SIDE).due_ts)


@pytest.mark.parametrize("share", [0.001, 0.01, 10.0])
def test_a_buy_is_at_most_a_share_of_the_sol_in_its_pool(share: float) -> None:
    desk = Desk(PaperVenue(SURE), Limits(1e9, max_pool_share=share), NO_STOPS)
    desk.state.allocations_usd = {"abc": 1_000.0}
    _pass(desk, Market().trade(1))
    order = desk.on_decision(_decision(BUY_SIDE))
    assert isinstance(order, Order)
    bearable = int(desk.state.market_state.tokens[0].pool.sol_lamports * share)
    assert order.budget_lamports == min(bearable, int(500.0 / SOL_USD * LAMPORTS_PER_SOL))


@pytest.mark.parametrize(
    ("allocation", "level"), [(0.0, RiskLevel.NORMAL), (100.0, RiskLevel.CRITICAL), (100.0, RiskLevel.EMERGENCY)]
)
def test_an_entry_is_refused_without_an_allocation_or_by_the_breaker(allocation: float, level: RiskLevel) -> None:
    desk = _desk(allocation)
    desk.state.ledger.breaker.level = level
    why = RefusalReason.NO_CAPITAL if level is RiskLevel.NORMAL else RefusalReason.BREAKER
    assert _reason(desk.on_decision(_decision(BUY_SIDE))) is why
    assert _reason(desk.on_decision(_decision(BUY_SIDE, spec_id="stranger"))) is why
    assert desk.state.pending == []


def test_a_strategy_never_spends_more_than_its_allocation_over_all_its_tokens() -> None:
    """Ten buys at once at half the allocation each: open orders count as spent."""
    market = Market()
    for i in range(10):
        market.trade(1, f"token{i}")
    desk = Desk(PaperVenue(SURE), Limits(1e9), NO_STOPS)
    desk.state.allocations_usd = {"abc": 100.0}
    _pass(desk, market)
    sent = [desk.on_decision(_decision(BUY_SIDE, i + 1, token=i)) for i in range(10)]
    assert [_reason(order) for order in sent] == [None, None] + [RefusalReason.NO_CAPITAL] * 8
    fills = _pass(desk, Market().talk(9))
    assert -_usd(sum(fill.cash_change_lamports for fill in fills)) <= 100.0


def test_a_sale_without_a_holding_is_ignored() -> None:
    desk = _desk()
    assert desk.on_decision(_decision(SELL_SIDE)) is None
    assert desk.exit("abc", 0, "portfolio_stop_loss") is None
    _bought(desk)
    assert desk.on_decision(_decision(SELL_SIDE, spec_id="other")) is None
    sale = desk.on_decision(_decision(SELL_SIDE, 2))
    assert isinstance(sale, Order)
    assert sale.token_raw == desk.state.held_by("abc")[0].token_raw
    assert _reason(desk.on_decision(_decision(SELL_SIDE, 3))) is RefusalReason.BUSY  # one is open
    assert desk.exit("abc", 0, "portfolio_stop_loss") is None
    _pass(desk, Market().talk(20))
    assert desk.state.held() == []
    assert desk.on_decision(_decision(SELL_SIDE, 4)) is None


def test_a_held_token_is_not_bought_again() -> None:
    desk = _bought(_desk(1000.0))
    assert _reason(desk.on_decision(_decision(BUY_SIDE, 2))) is RefusalReason.BUSY


@pytest.mark.parametrize("level", [RiskLevel.NORMAL, RiskLevel.WARNING, RiskLevel.CRITICAL])
def test_positions_can_be_closed_at_every_level_but_emergency(level: RiskLevel) -> None:
    desk = _bought(_desk())
    desk.state.ledger.breaker.level = RiskLevel.EMERGENCY
    assert _reason(desk.on_decision(_decision(SELL_SIDE, 2))) is RefusalReason.BREAKER
    assert _reason(desk.exit("abc", 0, "portfolio_stop_loss")) is RefusalReason.BREAKER
    desk.state.ledger.breaker.level = level
    assert desk.cancel_not_permitted() == []
    assert isinstance(desk.exit("abc", 0, "portfolio_stop_loss"), Order)


def test_desk_exits_have_order_numbers_below_zero() -> None:
    desk = _bought(_desk())
    order = desk.exit("abc", 0, "portfolio_stop_loss")
    assert isinstance(order, Order)
    assert (order.order_no, order.reason, order.side) == (-1, "portfolio_stop_loss", SELL_SIDE)
    assert order.due_ts == desk.state.market_state.last_ts + SURE.latency_ns
    assert not _pass(desk, Market().talk(20))[0].failure


def test_a_position_is_sold_without_an_allocation() -> None:
    desk = _bought(_desk())
    desk.state.allocations_usd = {}
    assert desk.on_decision(_decision(SELL_SIDE, 2)) is not None


def test_all_holdings_of_the_desk_shift_the_pool_together() -> None:
    alone, second = _desk(), _desk()
    second.state.allocations_usd |= {"f1": 10_000.0, "e2": 10_000.0}
    for spec_id in ("f1", "e2"):
        assert isinstance(second.on_decision(_decision(BUY_SIDE, spec_id=spec_id)), Order)
    _pass(second, Market().talk(9))
    books = list(second.state.held_of(0))
    shift = (sum(h.shift_sol_lamports for h in books), sum(h.shift_token_raw for h in books))
    pool = moved(second.state.market_state.tokens[0].pool, *shift)
    late = replace(_decision(BUY_SIDE), due_ts=START_TS + 10 * 10**9)
    tokens = []
    for desk in (alone, second):
        assert isinstance(desk.on_decision(late), Order)
        tokens.append(_pass(desk, Market().talk(20))[0].token_raw)
    assert tokens[1] == quote_buy(pool, 50 * LAMPORTS_PER_SOL // int(SOL_USD)).token_raw
    assert tokens[1] < 0.25 * tokens[0]  # the first doubled the SOL in the pool


def test_the_desk_continues_from_its_state_in_json() -> None:
    desk = _bought(_desk())
    desk.exit("abc", 0, "portfolio_stop_loss")
    again = Desk(
        PaperVenue(SURE),
        Limits(1e9),
        NO_STOPS,
        state=STATE.validate_json(STATE.dump_json(desk.state)),
    )
    assert _pass(again, Market().talk(20)) == _pass(desk, Market().talk(20))
    assert again.state == desk.state


def test_an_event_precedes_an_arrival_of_the_same_time() -> None:
    desk = _desk()
    order = desk.on_decision(_decision(BUY_SIDE))
    assert isinstance(order, Order)
    assert desk.pass_time(order.due_ts) == []
    assert len(desk.pass_time(order.due_ts + 1)) == 1
