"""What a strategy does depends on the market and on itself, never on who else is there or on what comes later."""

from dataclasses import asdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.backtest import backtest
from memesnipe.engine.orders import FillModel
from memesnipe.market.events import PRICE
from tests.support import FAMILIES, STATE, Market, engine_with, genome, population, synthetic_events

MODEL = FillModel(seed=5, landing_ratio=0.7)
EVENTS = synthetic_events(700, seed=3)
ALONE = {g.spec_id: backtest(EVENTS, [g], FAMILIES, MODEL, 1000.0)[0] for g in population()}


@settings(max_examples=10)
@given(st.permutations(range(4)), st.integers(1, 4))
def test_results_depend_neither_on_the_others_nor_on_their_order(order: list[int], count: int) -> None:
    genomes = [population()[i] for i in order[:count]]
    results = backtest(EVENTS, genomes, FAMILIES, MODEL, 1000.0)
    assert results == [ALONE[g.spec_id] for g in genomes]


def test_the_orders_of_one_strategy_do_not_depend_on_the_others() -> None:
    together = engine_with(*population(), model=MODEL).advance(EVENTS)
    for each in population():
        alone = engine_with(each, model=MODEL).advance(EVENTS)
        assert alone == [order for order in together if order.spec_id == each.spec_id]
        assert alone


def test_who_leaves_takes_nothing_from_the_others() -> None:
    first, *others = population()
    engine = engine_with(first, *others, model=MODEL)
    engine.advance(EVENTS[:300])
    engine.remove(first.spec_id)
    engine.advance(EVENTS[300:])
    assert engine.results() == [ALONE[g.spec_id] for g in others]


def test_who_comes_back_under_the_same_name_begins_anew() -> None:
    """The order of the first life was due at 2.5 s; that of the second, with the same number, is due at 3.5 s."""
    events = Market().trade(1).trade(2).trade(3, sol=5.0).talk(9).events()
    engine = engine_with(genome("flip"))
    engine.advance(events[:1])
    engine.remove(genome("flip").spec_id)
    engine.add(genome("flip"))
    fresh = engine_with()
    fresh.advance(events[:1])
    fresh.add(genome("flip"))
    assert engine.advance(events[1:]) == fresh.advance(events[1:])
    assert STATE.dump_json(engine.dump()) == STATE.dump_json(fresh.dump())


@settings(max_examples=10)
@given(st.integers(1, len(EVENTS) - 1))
def test_decisions_up_to_a_time_do_not_depend_on_what_comes_after(cut: int) -> None:
    """The future is replaced by its opposite: prices, reserves, sides and talk all turn."""
    changed = EVENTS.copy()
    future = changed[cut:]
    is_price = future["kind"] == PRICE
    future["side"] *= -1
    for name in ("price_usd", "pool_sol_lamports", "liquidity_usd"):
        future[name][is_price] = future[name][is_price] * 3
    future["sentiment"][~is_price] *= -1
    known = int(EVENTS["ts"][cut])
    told, other = (
        [o for o in engine_with(*population(), model=MODEL).advance(e) if o.decided_ts < known]
        for e in (EVENTS, changed)
    )
    assert told == other


def test_every_order_is_decided_on_an_event_that_has_happened() -> None:
    ts_of = dict(zip(EVENTS["seq"].tolist(), EVENTS["ts"].tolist(), strict=True))
    for order in engine_with(*population(), model=MODEL).advance(EVENTS):
        assert ts_of[order.decided_seq] <= order.decided_ts
        assert order.due_ts == order.decided_ts + MODEL.latency_ns


def test_equal_genomes_share_one_result() -> None:
    one = population()[0]
    results = backtest(EVENTS[:200], [one, one], FAMILIES, MODEL, 1000.0)
    assert results[0] == results[1]
    assert np.isfinite(list(asdict(results[0]).values())[1:]).all()
