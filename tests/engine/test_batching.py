"""Any batching gives the same state and the same orders, to the bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.engine import Engine
from memesnipe.engine.orders import FillModel
from tests.support import STATE, engine_with, genome, population, synthetic_events, through_json

MODEL = FillModel(seed=5, landing_ratio=0.7)
EVENTS = synthetic_events(700, seed=3)


def _engine() -> Engine:
    return engine_with(*population(), model=MODEL)


@settings(max_examples=15)
@given(st.lists(st.integers(1, len(EVENTS) - 1), max_size=12), st.sets(st.integers(0, 12)))
def test_any_batches_and_any_restarts_give_the_same_state_and_orders(cuts: list[int], restarts: set[int]) -> None:
    whole = _engine()
    expected = whole.advance(EVENTS)
    engine, orders = _engine(), []
    for i, part in enumerate(np.split(EVENTS, sorted(cuts))):
        orders += engine.advance(part)
        if i in restarts:
            engine = through_json(engine, MODEL)
    assert orders == expected
    assert STATE.dump_json(engine.dump()) == STATE.dump_json(whole.dump())
    assert engine.results() == whole.results()


def test_the_comparison_is_of_strategies_that_really_trade() -> None:
    engine = _engine()
    orders = engine.advance(EVENTS)
    assert {o.reason for o in orders} >= {"signal", "stop_loss", "take_profit", "trailing_stop", "max_hold"}
    assert all(r.trades > 1 and r.failed > 0 for r in engine.results())


def test_one_event_at_a_time_is_the_same_as_all_at_once() -> None:
    whole, single = _engine(), _engine()
    expected = whole.advance(EVENTS)
    orders = [order for i in range(len(EVENTS)) for order in single.advance(EVENTS[i : i + 1])]
    assert orders == expected
    assert STATE.dump_json(single.dump()) == STATE.dump_json(whole.dump())


def test_an_empty_batch_changes_nothing() -> None:
    engine = _engine()
    engine.advance(EVENTS[:300])
    before = STATE.dump_json(engine.dump())
    assert engine.advance(EVENTS[:0]) == []
    assert STATE.dump_json(engine.dump()) == before


def test_a_restart_in_every_position_of_an_order_loses_nothing() -> None:
    """Right after the decision, while the order is on its way, and while its tokens are held."""
    whole = _engine()
    expected = whole.advance(EVENTS[:250])
    engine, orders = _engine(), []
    for i in range(250):
        orders += engine.advance(EVENTS[i : i + 1])
        engine = through_json(engine, MODEL)
    assert orders == expected
    assert engine.results() == whole.results()


def test_a_strategy_that_joins_before_sol_has_a_price_is_funded_when_it_has() -> None:
    engine = through_json(engine_with(genome("flip"), capital_usd=500.0), capital_usd=500.0)
    assert engine.results()[0].total_return == 0.0
    engine.advance(EVENTS[:1])
    account = next(iter(engine.traders.values())).account
    assert account.capital_lamports == int(500.0 / float(EVENTS["sol_usd"][0]) * 1e9)
    assert account.joined_ts == EVENTS["ts"][0]
