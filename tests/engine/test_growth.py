"""A growth of the token slots that is prepared between batches changes neither state nor orders."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.engine import Engine
from memesnipe.engine.history import WatchedActions
from tests.engine.random_market import FAMILIES, random_events, random_genomes, random_model
from tests.support import state_bytes

RNG = np.random.default_rng(12)
MODEL = random_model(RNG)._replace(dead_after_ns=10_000_000_000_000)
GENOMES = random_genomes(RNG, 24)
EVENTS = random_events(RNG, 1600, 300, 0.05)  # of far more tokens than the initial slots, none of which dies
ALL = 1_000


def moved(cuts: list[int], rows: list[int], changed: list[int]) -> tuple[Engine, WatchedActions, int]:
    """Advance over the events in parts, and prepare ``rows`` strategies after each; strategies join and leave.

    Returns:
        The engine, what it has done, and how often a growth was prepared, at least in part.
    """
    engine = Engine(FAMILIES, MODEL, 1000.0)
    engine.add(*GENOMES[:16])
    engine.watch(engine.population.spec_ids)
    done, prepared = WatchedActions(), 0
    for i, part in enumerate(np.split(EVENTS, cuts)):
        step = engine.advance(part)
        done.orders += step.orders
        done.fills += step.fills
        engine.prepare_growth(rows[i % len(rows)])
        prepared += engine.population._grown > 0 and engine.population._room > engine.population.slots
        if i in changed:
            engine.remove(GENOMES[i].spec_id)
            engine.add(GENOMES[16 + i % 8])
            engine.watch(engine.population.spec_ids)
    return engine, done, prepared


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.lists(st.integers(0, 15), max_size=6))
def test_a_prepared_growth_changes_nothing(rows: list[int], changed: list[int]) -> None:
    cuts = list(range(50, 1600, 50))
    engine, done, _ = moved(cuts, rows, changed)
    other, expected, _ = moved(cuts, [0], changed)
    assert done == expected
    assert state_bytes(engine.dump()) == state_bytes(other.dump())


def test_it_leaves_nothing_to_copy_for_the_event_that_finds_no_slot() -> None:
    cuts = list(range(10, 1600, 10))
    engine, done, prepared = moved(cuts, [ALL], [])
    assert engine.token_slots.capacity >= 256
    assert prepared > 1
    small = Engine(FAMILIES, MODEL, 1000.0)
    small.add(*GENOMES[:16])
    for event in np.split(EVENTS, range(1, len(EVENTS))):
        small.advance(event)
        small.prepare_growth(ALL)
        if small.token_slots.used == small.token_slots.capacity:
            break
    states = [array.ctypes.data for array in small.population.genes.states]
    small.token_slots.grow()
    small.population.grow(small.token_slots.capacity)
    assert [array.ctypes.data for array in small.population.genes.states] == states
    assert done.orders
