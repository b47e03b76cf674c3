"""The outcome of an order: landing, costs, and the effect on its pool."""

from typing import Any

import pytest

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel, landing_ratio, lands, network_fee_lamports
from memesnipe.engine.holdings import Holding, execute, value_lamports
from memesnipe.engine.landing import key_of
from memesnipe.engine.orders import Fill, Order
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, SELL_SIDE
from memesnipe.market.pools import BPS, Pool, moved, quote_buy, quote_sell
from memesnipe.market.state import TokenMarket
from tests.support import CURVE, START_TS, SURE, Market, engine_with, genome

NETWORK = network_fee_lamports(SURE)
FAILED = SURE.base_fee_lamports + SURE.priority_fee_lamports


def _account(engine: Engine) -> Any:
    return engine.population.accounts[0]


def _execute(order: Order, pool: Pool = CURVE, model: FillModel = SURE, ts: int = 10) -> Fill:
    return execute(order, Holding(), pool, TokenMarket(1, pool), ts, 3, model)


@pytest.mark.parametrize("capital_usd", [20.0, 1_000.0, 50_000.0])
def test_a_round_trip_without_other_trades_costs_exactly_the_fees(capital_usd: float) -> None:
    """The recorded pool does not include our own trade, but our sale is in the pool shifted by it."""
    market = Market().trade(1)
    engine = engine_with(genome("buy_once", max_hold_s=10.0), capital_usd=capital_usd)
    engine.advance(market.talk(30, "B").talk(60, "B").events())
    account = _account(engine)
    assert account["round_trips"] == 1
    bought = quote_buy(market.pools["A"], int(account["capital_lamports"]) // 8)
    sold = quote_sell(moved(market.pools["A"], bought.sol_lamports, -bought.token_raw), bought.token_raw)
    assert bought.sol_lamports - sold.sol_lamports in (0, 1)
    lost = bought.sol_lamports - sold.sol_lamports + bought.fee_lamports + sold.fee_lamports + 2 * NETWORK
    assert account["capital_lamports"] - account["cash_lamports"] == lost
    assert account["fees_lamports"] == bought.fee_lamports + sold.fee_lamports + 2 * NETWORK
    assert (lost - 2 * NETWORK) / (bought.sol_lamports + bought.fee_lamports) == pytest.approx(0.0247, abs=2e-5)


def test_trades_of_others_before_the_arrival_affect_the_price() -> None:
    market = Market().trade(1).trade(2, sol=5.0).trade(30, "B").trade(60, "B")
    late = engine_with(genome("buy_once", max_hold_s=10.0), model=SURE._replace(latency_ns=2 * 10**9))
    early = engine_with(genome("buy_once", max_hold_s=10.0), model=SURE._replace(latency_ns=5 * 10**8))
    for engine in (late, early):
        engine.advance(market.events())
    # Both order at 1.0 s; one lands before the large buy at 2.0 s and profits from it, the other after it.
    assert _account(early)["wins"] == 1
    assert _account(late)["wins"] == 0


def test_an_order_is_executed_after_events_at_its_arrival_time() -> None:
    """An event at the time at which an order lands is applied first."""
    model = SURE._replace(latency_ns=10**9)
    at_once, after = (engine_with(genome("buy_once"), model=model) for _ in range(2))
    at_once.advance(Market().trade(1).trade(2, sol=5.0).talk(9).events())
    after.advance(Market().trade(1).trade(2.000001, sol=5.0).talk(9).events())
    bought = [engine.population.exposures[0][0]["holding"]["token_raw"] for engine in (at_once, after)]
    assert bought[0] < bought[1]


def test_orders_of_a_token_without_further_events_are_executed() -> None:
    engine = engine_with(genome("buy_once", max_hold_s=20.0))
    orders = engine.advance(Market().trade(1, "A").talk(300, "B").events()).orders
    assert [(o.side, o.reason, o.decided_ts - START_TS) for o in orders] == [
        (BUY_SIDE, "signal", 10**9),
        (SELL_SIDE, "max_hold", 22_500_000_000),
    ]
    assert _account(engine)["exposures"] == 0
    assert _account(engine)["round_trips"] == 1


def test_a_failed_sale_at_the_longest_hold_is_retried() -> None:
    order_no = next(seed for seed in range(999) if _lands(seed, [True, False, False, True]))
    model = SURE._replace(landing_max=0.5, seed=order_no)
    engine = engine_with(genome("buy_once", max_hold_s=20.0), model=model)
    orders = engine.advance(Market().trade(1, "A").talk(300, "B").events()).orders
    assert [(o.decided_ts - START_TS) // 10**8 for o in orders] == [10, 225, 825, 1425]
    assert (_account(engine)["failed"], _account(engine)["round_trips"]) == (2, 1)


def _lands(seed: int, wanted: list[bool]) -> bool:
    model = SURE._replace(landing_max=0.5, seed=seed)
    spec_id = genome("buy_once", max_hold_s=20.0).spec_id
    return [lands(model, key_of(spec_id), n) for n in range(1, len(wanted) + 1)] == wanted


def test_landing_depends_only_on_seed_strategy_and_order_number() -> None:
    model = SURE._replace(seed=1, landing_max=0.8)
    drawn = [lands(model, 0xABC, n) for n in range(4000)]
    assert drawn == [lands(SURE._replace(seed=1, landing_max=0.8), 0xABC, n) for n in range(4000)]
    assert sum(drawn) / 4000 == pytest.approx(0.8, abs=0.03)
    assert drawn != [lands(model, 0xABD, n) for n in range(4000)]
    assert drawn != [lands(model._replace(seed=2), 0xABC, n) for n in range(4000)]
    assert all(lands(model._replace(landing_max=1.0), 0xABC, n) for n in range(100))
    assert not any(lands(model._replace(landing_max=0.0), 0xABC, n) for n in range(100))


def test_the_landing_ratio_rises_with_the_bid() -> None:
    model = FillModel()
    bids = (0, 1_000, 10_000, 100_000, 10**9)
    ratios = [landing_ratio(model._replace(priority_fee_lamports=bid, tip_lamports=0)) for bid in bids]
    assert ratios == sorted(ratios)
    assert ratios[0] == 0.0
    assert landing_ratio(model) == pytest.approx(0.9, abs=0.005)


def _order(side: int, **given: int) -> Order:
    values = {"budget_lamports": 0, "token_raw": 0, "expected": 0} | given
    return Order("abc1", 1, 0, side, "signal", 5, 1, 10, 0.1, **values)


def test_slippage_beyond_tolerance_fails_and_pays_no_tip() -> None:
    model = SURE._replace(slippage_bps=1_000)
    got = quote_buy(CURVE, LAMPORTS_PER_SOL).token_raw
    just = got * BPS // (BPS - 1_000)
    good, bad = (
        _execute(_order(BUY_SIDE, budget_lamports=LAMPORTS_PER_SOL, expected=e), CURVE, model) for e in (just, just + 1)
    )
    assert (good.failure, good.token_raw) == ("", got)
    assert bad.failure == "slippage beyond tolerance"
    assert (bad.token_raw, bad.sol_lamports, bad.cash_change_lamports) == (0, 0, -FAILED)
    assert _execute(_order(SELL_SIDE, token_raw=10**9, expected=10**12), CURVE, model).failure == bad.failure


def test_orders_that_do_not_land_or_get_no_quote_fail() -> None:
    lost = _execute(_order(BUY_SIDE, budget_lamports=10**9), CURVE, SURE._replace(landing_max=0.0))
    assert (lost.failure, lost.cash_change_lamports) == ("did not land", -FAILED)
    empty = Pool(1, 30 * 10**9, 10**15, 0, 0, 0, 0, 95, 30)
    for order in (_order(BUY_SIDE, budget_lamports=10**9), _order(SELL_SIDE, token_raw=10**9)):
        assert _execute(order, empty).failure == "the pool gives nothing"


def test_a_holding_has_its_cost_and_realises_the_profit_when_sold() -> None:
    holding = Holding()
    buy = _execute(_order(BUY_SIDE, budget_lamports=10**9))
    assert holding.apply_fill(buy, TokenMarket(1, CURVE)) == 0
    assert holding.cost_lamports == -buy.cash_change_lamports
    assert holding.opened_ts == 10
    value = value_lamports(holding, TokenMarket(1, CURVE))
    pool = moved(CURVE, buy.sol_lamports, -buy.token_raw)
    sell = _execute(_order(SELL_SIDE, token_raw=holding.token_raw), pool, ts=20)
    assert sell.cash_change_lamports == value - NETWORK
    assert holding.apply_fill(sell, TokenMarket(1, CURVE)) == buy.cash_change_lamports + sell.cash_change_lamports
    assert (holding.token_raw, holding.cost_lamports) == (0, 0)
