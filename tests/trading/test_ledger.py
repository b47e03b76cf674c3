from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from memesnipe.engine.holdings import Holding, execute
from memesnipe.engine.orders import Fill, Order
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, SELL_SIDE, rows
from memesnipe.market.pools import moved, quote_sell
from memesnipe.market.state import TokenMarket
from memesnipe.protocol.messages import FillMessage
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.ledger import Ledger, LedgerPolicy, LedgerState
from tests.payloads import fill_message
from tests.support import CURVE, SOL_USD, SURE, Market

STATE = TypeAdapter(LedgerState)
HOLDING = TypeAdapter(Holding)
CAPITAL = int(10_000 / SOL_USD * LAMPORTS_PER_SOL)


def _ledger(state: LedgerState | None = None, *, stop_loss: float = 0.5, trailing: float = 0.4) -> Ledger:
    return Ledger(LedgerPolicy(10_000.0, stop_loss, trailing, 10**15), state)


def _apply_last(ledger: Ledger, market: Market, start: int = 0) -> None:
    for event in rows(market.events()[start:]):
        ledger.on_event(event)


def _buy(sol: float = 1.0, token: int = 0, spec_id: str = "abc") -> Fill:
    order = Order(spec_id, 1, token, BUY_SIDE, "signal", 5, 1, 10, 0.1, int(sol * LAMPORTS_PER_SOL), 0, 1)
    return execute(order, Holding(), CURVE, TokenMarket(1, CURVE), 10, 1, SURE)


def _sell(token_raw: int, sol_lamports: int, token: int = 0, failure: str = "", spec_id: str = "abc") -> Fill:
    order = Order(spec_id, 2, token, SELL_SIDE, "signal", 15, 2, 20, 0.0, 0, token_raw, 1)
    if failure:
        return Fill(order, 20, 2, 0, 0, 0, 105_000, 0, failure)
    return Fill(order, 20, 2, token_raw, sol_lamports, sol_lamports // 80, 115_000, sol_lamports, "")


def _message(fill: Fill) -> FillMessage:
    return fill_message(fill, f"mint {fill.order.token}")


def test_two_holdings_of_one_token_are_valued_as_one_sale() -> None:
    ledger = _ledger()
    _apply_last(ledger, Market().trade(1))
    pool = ledger.state.market_state.tokens[0].pool
    first = _buy(5.0, spec_id="ab")
    order = Order("cd", 1, 0, BUY_SIDE, "signal", 5, 1, 10, 0.1, 5 * LAMPORTS_PER_SOL, 0, 1)
    second = execute(
        order, Holding(), moved(CURVE, first.sol_lamports, -first.token_raw), TokenMarket(1, CURVE), 10, 1, SURE
    )
    for fill in (first, second):
        ledger.on_fill(_message(fill))
    whole = first.token_raw + second.token_raw
    both = quote_sell(moved(pool, first.sol_lamports + second.sol_lamports, -whole), whole)
    ledger.mark()
    worth = sum(position.value_lamports for position in ledger.state.open_positions())
    assert both.sol_lamports - both.fee_lamports - worth in (0, 1)


def test_where_the_feed_reports_our_trades_the_recorded_pool_is_not_shifted_again() -> None:
    ledger = Ledger(LedgerPolicy(10_000.0, 0.5, 0.4, 10**15, pool_has_own_trades=True))
    _apply_last(ledger, Market().trade(1))
    fill = _buy(5.0)
    ledger.on_fill(_message(fill))
    ledger.mark()
    (position,) = ledger.state.open_positions()
    out = quote_sell(ledger.state.market_state.tokens[0].pool, fill.token_raw)
    assert position.value_lamports == out.sol_lamports - out.fee_lamports
    shifted = Ledger(LedgerPolicy(10_000.0, 0.5, 0.4, 10**15))
    _apply_last(shifted, Market().trade(1))
    shifted.on_fill(_message(fill))
    shifted.mark()
    assert shifted.state.open_positions()[0].value_lamports > position.value_lamports


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["ab", "cd"]), st.integers(0, 2), st.sampled_from("bsf"), st.integers(1, 3 * 10**9)),
        max_size=12,
    )
)
def test_equity_is_capital_plus_realised_and_unrealised_profit(trades: list[tuple[str, int, str, int]]) -> None:
    ledger, cash, realised = _ledger(), CAPITAL, 0
    market = Market().trade(1, "0").trade(2, "1").trade(3, "2")
    _apply_last(ledger, market)
    for i, (spec_id, token, what, lamports) in enumerate(trades):
        held = ledger.state.position(spec_id, token)
        if what == "b":
            fill = _buy(lamports / LAMPORTS_PER_SOL + 0.01, token, spec_id)
        elif what == "s" and held and held.holding.token_raw:
            fill = _sell(held.holding.token_raw, lamports, token, spec_id=spec_id)
        else:
            fill = _sell(1, 0, token, "did not land", spec_id)
        before = {id(p): HOLDING.dump_json(p.holding) for p in ledger.state.open_positions()}
        realised += ledger.on_fill(_message(fill)).realised_lamports
        cash += fill.cash_change_lamports
        for position in ledger.state.open_positions():
            if (position.spec_id, position.token) != (spec_id, token):
                assert HOLDING.dump_json(position.holding) == before[id(position)]
        market.trade(10 + i, str(token), sol=0.7 * (-1) ** i)
        _apply_last(ledger, market, -1)
        mark = ledger.mark()
        positions = ledger.state.open_positions()
        assert all(position.holding.is_open for position in positions)
        unrealised = sum(p.value_lamports - p.holding.cost_lamports for p in positions)
        assert ledger.state.cash_lamports == cash
        assert mark.equity_lamports == CAPITAL + realised + unrealised
        assert mark.equity_lamports == cash + sum(p.value_lamports for p in positions)


def test_a_failed_order_costs_its_fee_only() -> None:
    ledger = _ledger()
    _apply_last(ledger, Market().trade(1))
    bought = ledger.on_fill(_message(_buy())).position.holding.token_raw
    booked = ledger.on_fill(_message(_sell(bought, 0, failure="did not land")))
    assert (booked.realised_lamports, booked.position.holding.token_raw) == (-105_000, bought)
    assert ledger.mark().risk.level_changed is False


def test_a_failed_purchase_opens_no_position() -> None:
    ledger = _ledger()
    _apply_last(ledger, Market().trade(1))
    booked = ledger.on_fill(_message(replace(_buy(), token_raw=0, sol_lamports=0, failure="did not land")))
    assert booked.realised_lamports < 0
    assert ledger.state.positions == {}


def test_a_new_position_is_valued_before_the_first_mark() -> None:
    ledger = _ledger()
    _apply_last(ledger, Market().trade(1))
    position = ledger.on_fill(_message(_buy())).position
    assert 0.9 < position.value_lamports / position.holding.cost_lamports < 1.0


def test_a_closed_position_leaves_the_state_and_can_be_opened_again() -> None:
    ledger = _ledger()
    _apply_last(ledger, Market().trade(1))
    buy = _buy()
    ledger.on_fill(_message(buy))
    ledger.mark()
    sell = _sell(buy.token_raw, 2 * LAMPORTS_PER_SOL)
    booked = ledger.on_fill(_message(sell))
    assert booked.realised_lamports == buy.cash_change_lamports + sell.cash_change_lamports
    closed = booked.position
    assert (closed.value_lamports, closed.best_value_lamports, closed.holding.opened_ts) == (0, 0, 0)
    assert ledger.state.positions == {}
    assert ledger.on_fill(_message(buy)).position.holding.token_raw == buy.token_raw


@pytest.mark.parametrize(
    ("moves", "reason"),
    [((0.001,), None), ((-8.0,), "portfolio_stop_loss"), ((4.0, -7.0), "portfolio_trailing_stop"), ((4.0,), None)],
)
def test_a_position_that_fell_too_far_must_be_sold(moves: tuple[float, ...], reason: str | None) -> None:
    ledger, market = _ledger(stop_loss=0.2, trailing=0.15), Market().trade(1)
    _apply_last(ledger, market)
    ledger.on_fill(_message(_buy(0.5)))
    for i, move in enumerate(moves):
        market.trade(2 + i, sol=move)
        _apply_last(ledger, market, -1)
        stopped = ledger.mark().risk.stopped
    assert [position.stop for position in stopped] == ([reason] if reason else [])


def test_the_breaker_includes_unrealised_losses() -> None:
    ledger, market = _ledger(), Market().trade(1)
    _apply_last(ledger, market)
    ledger.on_fill(_message(_buy(20.0)))
    ledger.mark()
    market.trade(2, sol=-9.5)
    (event,) = rows(market.events()[-1:])
    risk = ledger.on_event(event)
    assert risk is not None and risk.level_changed
    mark = ledger.mark()
    assert not mark.risk.level_changed, "it changed at the event"
    assert ledger.state.breaker.level is not RiskLevel.NORMAL
    assert mark.equity_usd == pytest.approx(mark.equity_lamports / LAMPORTS_PER_SOL * SOL_USD)
    assert mark.cash_usd < 0.61 * 10_000


def test_capital_is_converted_once_at_the_first_price_of_sol() -> None:
    ledger, market = _ledger(), Market().trade(1)
    market.trade(2)
    market.raw[1]["sol_usd"] = 400.0
    _apply_last(ledger, market)
    assert ledger.state.capital_lamports == ledger.state.cash_lamports == CAPITAL


def test_the_ledger_continues_from_its_state_in_json() -> None:
    ledger, market = _ledger(), Market().trade(1)
    _apply_last(ledger, market)
    ledger.on_fill(_message(_buy()))
    ledger.mark()
    again = _ledger(STATE.validate_json(STATE.dump_json(ledger.state)))
    market.trade(5, sol=-5.0)
    for each in (ledger, again):
        _apply_last(each, market, -1)
    assert again.mark() == ledger.mark()
    assert STATE.dump_json(again.state) == STATE.dump_json(ledger.state)


@pytest.mark.parametrize("fill", [_buy(), _sell(5, 7), _sell(5, 0, failure="did not land")])
def test_a_fill_is_unchanged_by_its_message(fill: Fill) -> None:
    message = _message(fill)
    assert message.fill == fill
