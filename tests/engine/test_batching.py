"""Any batching, restart and split of the population gives a bit-identical state and the same orders."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine import engine as engine_module
from memesnipe.engine import shards
from memesnipe.engine.engine import Engine
from memesnipe.engine.history import WatchedActions
from memesnipe.market.events import Events
from tests.engine.random_market import FAMILIES, random_events, random_genomes, random_model
from tests.support import saved_and_loaded, state_bytes

RNG = np.random.default_rng(11)
MODEL = random_model(RNG)._replace(dead_after_ns=100_000_000_000)
GENOMES = random_genomes(RNG, 8)
# More tokens than the initial slots, and more than are alive at once.
EVENTS = random_events(RNG, 1600, 90, 0.05)


def engine_of(genomes: list = GENOMES) -> Engine:  # type: ignore[type-arg]
    engine = Engine(FAMILIES, MODEL, 1000.0)
    engine.add(*genomes)
    engine.watch(engine.population.spec_ids)
    return engine


def restarted(engine: Engine) -> Engine:
    """Return a new engine, loaded from the state that the first one wrote to a file."""
    other = Engine(FAMILIES, MODEL, 1000.0)
    other.load(saved_and_loaded(engine.dump()))
    return other


def in_parts(engine: Engine, parts: list[Events], restarts: set[int]) -> tuple[Engine, WatchedActions]:
    done = WatchedActions()
    for i, part in enumerate(parts):
        step = engine.advance(part)
        done.orders += step.orders
        done.fills += step.fills
        if i in restarts:
            engine = restarted(engine)
    return engine, done


WHOLE = engine_of()
DONE = WHOLE.advance(EVENTS)


def test_the_compared_strategies_trade() -> None:
    assert len({order.reason for order in DONE.orders}) >= 6
    assert sum(bool(fill.failure) for fill in DONE.fills) > 20
    assert len(DONE.orders) > 500
    assert WHOLE.token_slots.ends[2] > WHOLE.token_slots.capacity  # slots were reused


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, len(EVENTS) - 1), max_size=12), st.sets(st.integers(0, 12)))
def test_batches_and_restarts_do_not_change_state_and_orders(cuts: list[int], restarts: set[int]) -> None:
    engine, done = in_parts(engine_of(), np.split(EVENTS, sorted(cuts)), restarts)
    assert done == DONE
    assert state_bytes(engine.dump()) == state_bytes(WHOLE.dump())
    assert engine.results() == WHOLE.results()


def test_single_events_with_restarts_equal_one_batch() -> None:
    engine, done = in_parts(engine_of(), np.split(EVENTS, range(1, len(EVENTS))), set(range(0, len(EVENTS), 40)))
    assert done == DONE
    assert state_bytes(engine.dump()) == state_bytes(WHOLE.dump())


def test_the_room_for_deliveries_does_not_change_the_result(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(engine_module, "ROOM", 7)
    engine, done = in_parts(engine_of(), [EVENTS], set())
    assert done == DONE
    assert state_bytes(engine.dump()) == state_bytes(WHOLE.dump())


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(len(GENOMES))), st.integers(1, len(GENOMES)))
def test_a_strategy_does_not_depend_on_the_other_strategies(order: list[int], count: int) -> None:
    some = [GENOMES[i] for i in order[:count]]
    engine = engine_of(some)
    done = engine.advance(EVENTS)
    expected = {result.spec_id: result for result in WHOLE.results()}
    assert engine.results() == [expected[genome.spec_id] for genome in some]
    for genome in some:
        mine = [fill for fill in done.fills if fill.order.spec_id == genome.spec_id]
        assert mine == [fill for fill in DONE.fills if fill.order.spec_id == genome.spec_id]


@settings(max_examples=5, deadline=None)
@given(st.integers(2, 9))
def test_the_number_of_threads_does_not_change_the_result(threads: int) -> None:
    engine = Engine(FAMILIES, MODEL, 1000.0, threads)
    engine.add(*GENOMES)
    engine.watch(engine.population.spec_ids)
    min_rows, shards.MIN_ROWS = shards.MIN_ROWS, 1
    try:
        engine, done = in_parts(engine, np.split(EVENTS, range(300, len(EVENTS), 300)), set())
    finally:
        shards.MIN_ROWS = min_rows
    assert done == DONE
    assert state_bytes(engine.dump()) == state_bytes(WHOLE.dump())


def test_reused_slots_do_not_change_the_result() -> None:
    """Run the same market after other tokens have occupied the slots."""
    others = random_events(np.random.default_rng(1), 300, 50, 0.1)
    others["token"][others["token"] >= 0] += 1000
    shift = int(EVENTS["ts"][0]) - int(others["ts"][-1]) - 100 * MODEL.dead_after_ns
    others["ts"] += shift
    others["seq"] -= 300
    others["sol_usd"] = 0.0
    others["kind"][others["kind"] == 1] = 6  # no trades
    engine = Engine(FAMILIES, MODEL, 1000.0)
    engine.advance(others)
    engine.add(*GENOMES)
    engine.watch(engine.population.spec_ids)
    assert engine.advance(EVENTS).fills == DONE.fills
    assert engine.results() == WHOLE.results()


def test_an_empty_batch_does_not_change_the_state() -> None:
    engine = engine_of()
    engine.advance(EVENTS[:300])
    before = state_bytes(engine.dump())
    assert engine.advance(EVENTS[:0]) == WatchedActions()
    assert state_bytes(engine.dump()) == before


def test_removing_and_adding_a_strategy_does_not_affect_the_others() -> None:
    first, *others = GENOMES
    engine = engine_of()
    engine.advance(EVENTS[:700])
    engine.remove(first.spec_id)
    expected = {result.spec_id: result for result in WHOLE.results()}
    late = engine_of(others)
    late.advance(EVENTS[:700])
    late.add(first)
    engine.add(first)
    engine.watch(engine.population.spec_ids)
    late.watch(late.population.spec_ids)
    assert engine.advance(EVENTS[700:]) == late.advance(EVENTS[700:])
    assert [r for r in engine.results() if r.spec_id != first.spec_id] == [expected[g.spec_id] for g in others]
    assert state_bytes(engine.dump()) == state_bytes(late.dump())


def test_a_strategy_added_before_the_first_sol_price_is_funded_at_it() -> None:
    engine = restarted(engine_of())
    assert engine.results()[0].total_return == 0.0
    first = int(np.flatnonzero(EVENTS["sol_usd"] > 0)[0])
    engine.advance(EVENTS[: first + 1])
    account = engine.population.accounts[0]
    assert account["capital_lamports"] == int(1000.0 / float(EVENTS["sol_usd"][first]) * 1e9)
    assert account["joined_ts"] == EVENTS["ts"][first]


def test_the_returns_matrix_matches_the_sums() -> None:
    engine = engine_of()
    first = (int(EVENTS["ts"][0]) // 60_000_000_000 + 1) * 60_000_000_000
    intervals = int(engine_intervals(EVENTS))
    returns = engine.record_returns(first, intervals)
    engine.advance(EVENTS)
    assert returns.shape == (len(GENOMES), intervals)
    assert returns.dtype == np.float32
    sums = engine.population.accounts["sum"]
    assert np.allclose(returns.sum(axis=1, dtype=np.float64), sums, rtol=1e-4, atol=1e-6)
    assert np.count_nonzero(returns) > len(GENOMES)


def engine_intervals(events: Events) -> int:
    return int(events["ts"][-1]) // 60_000_000_000 - int(events["ts"][0]) // 60_000_000_000


def test_a_state_without_strategies_can_be_resumed() -> None:
    engine = Engine(FAMILIES, MODEL, 1000.0)
    engine.advance(EVENTS[:300])
    resumed = restarted(engine)
    for one in (engine, resumed):
        one.add(*GENOMES)
        one.advance(EVENTS[300:])
    assert state_bytes(resumed.dump()) == state_bytes(engine.dump())
