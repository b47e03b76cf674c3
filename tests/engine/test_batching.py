"""Any batching, any restart and any split of the population give the same state and the same orders, to the bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine import engine as engine_module
from memesnipe.engine import shards
from memesnipe.engine.engine import Engine
from memesnipe.engine.history import WatchedActions
from memesnipe.market.events import Events
from tests.engine.random_market import FAMILIES, random_events, random_genomes, random_model
from tests.support import kept, written_and_read

RNG = np.random.default_rng(11)
MODEL = random_model(RNG)._replace(dead_after_ns=100_000_000_000)
GENOMES = random_genomes(RNG, 8)
# More tokens than an engine begins with slots for, and more than live at once.
EVENTS = random_events(RNG, 1600, 90, 0.05)


def engine_of(genomes: list = GENOMES) -> Engine:  # type: ignore[type-arg]
    engine = Engine(FAMILIES, MODEL, 1000.0)
    engine.add(*genomes)
    engine.watch(engine.population.spec_ids)
    return engine


def restarted(engine: Engine) -> Engine:
    """Another engine, which knows of the first only what it wrote down."""
    other = Engine(FAMILIES, MODEL, 1000.0)
    other.load(written_and_read(engine.dump()))
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


def test_the_comparison_is_of_strategies_that_really_trade() -> None:
    assert len({order.reason for order in DONE.orders}) >= 6
    assert sum(bool(fill.failure) for fill in DONE.fills) > 20
    assert len(DONE.orders) > 500
    assert WHOLE.token_slots.ends[2] > WHOLE.token_slots.capacity  # slots were used again


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, len(EVENTS) - 1), max_size=12), st.sets(st.integers(0, 12)))
def test_any_batches_and_any_restarts_give_the_same_state_and_orders(cuts: list[int], restarts: set[int]) -> None:
    engine, done = in_parts(engine_of(), np.split(EVENTS, sorted(cuts)), restarts)
    assert done == DONE
    assert kept(engine.dump()) == kept(WHOLE.dump())
    assert engine.results() == WHOLE.results()


def test_one_event_at_a_time_with_restarts_is_the_same_as_all_at_once() -> None:
    engine, done = in_parts(engine_of(), np.split(EVENTS, range(1, len(EVENTS))), set(range(0, len(EVENTS), 40)))
    assert done == DONE
    assert kept(engine.dump()) == kept(WHOLE.dump())


def test_the_room_for_turns_changes_nothing(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(engine_module, "ROOM", 7)
    engine, done = in_parts(engine_of(), [EVENTS], set())
    assert done == DONE
    assert kept(engine.dump()) == kept(WHOLE.dump())


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(len(GENOMES))), st.integers(1, len(GENOMES)))
def test_a_strategy_does_not_depend_on_who_else_is_there(order: list[int], count: int) -> None:
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
def test_the_threads_that_share_the_population_change_nothing(threads: int) -> None:
    engine = Engine(FAMILIES, MODEL, 1000.0, threads)
    engine.add(*GENOMES)
    engine.watch(engine.population.spec_ids)
    least, shards.MIN_ROWS = shards.MIN_ROWS, 1
    try:
        engine, done = in_parts(engine, np.split(EVENTS, range(300, len(EVENTS), 300)), set())
    finally:
        shards.MIN_ROWS = least
    assert done == DONE
    assert kept(engine.dump()) == kept(WHOLE.dump())


def test_slots_change_nothing() -> None:
    """The same market after other tokens have lived and died in the slots."""
    others = random_events(np.random.default_rng(1), 300, 50, 0.1)
    others["token"][others["token"] >= 0] += 1000
    shift = int(EVENTS["ts"][0]) - int(others["ts"][-1]) - 100 * MODEL.dead_after_ns
    others["ts"] += shift
    others["seq"] -= 300
    others["sol_usd"] = 0.0
    others["kind"][others["kind"] == 1] = 6  # nothing that could be traded
    engine = Engine(FAMILIES, MODEL, 1000.0)
    engine.advance(others)
    engine.add(*GENOMES)
    engine.watch(engine.population.spec_ids)
    assert engine.advance(EVENTS).fills == DONE.fills
    assert engine.results() == WHOLE.results()


def test_an_empty_batch_changes_nothing() -> None:
    engine = engine_of()
    engine.advance(EVENTS[:300])
    before = kept(engine.dump())
    assert engine.advance(EVENTS[:0]) == WatchedActions()
    assert kept(engine.dump()) == before


def test_who_leaves_takes_nothing_from_the_others_and_comes_back_anew() -> None:
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
    assert kept(engine.dump()) == kept(late.dump())


def test_a_strategy_that_joins_before_sol_has_a_price_is_funded_when_it_has() -> None:
    engine = restarted(engine_of())
    assert engine.results()[0].total_return == 0.0
    first = int(np.flatnonzero(EVENTS["sol_usd"] > 0)[0])
    engine.advance(EVENTS[: first + 1])
    account = engine.population.accounts[0]
    assert account["capital_lamports"] == int(1000.0 / float(EVENTS["sol_usd"][first]) * 1e9)
    assert account["joined_ts"] == EVENTS["ts"][first]


def test_the_returns_matrix_holds_what_the_sums_are_made_of() -> None:
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


def test_a_state_without_strategies_is_taken_up_like_any_other() -> None:
    engine = Engine(FAMILIES, MODEL, 1000.0)
    engine.advance(EVENTS[:300])
    taken_up = restarted(engine)
    for one in (engine, taken_up):
        one.add(*GENOMES)
        one.advance(EVENTS[300:])
    assert kept(taken_up.dump()) == kept(engine.dump())
