"""Requirements of every family: discovered, not listed by name."""

import ast
import math
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from memesnipe.engine.backtest import backtest
from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.market.events import EVENT, FIELDS, NO_TOKEN, Event, Events, rows
from memesnipe.sdk import BUY, HOLD, SELL, SHORT, Strategy
from memesnipe.sdk.loops import loop_of
from memesnipe.sdk.registry import BUNDLED, discover
from tests.support import synthetic_events

FAMILIES = discover()
MODEL = FillModel()
EVENTS = synthetic_events(6000, seed=3)
every_family = pytest.mark.parametrize("family", list(FAMILIES))


def _genomes(family: str, count: int = 8) -> list[Genome]:
    """Return genomes with default and with random parameters."""
    declared, rng = FAMILIES[family].params, np.random.default_rng(1)
    drawn = [{}] + [{name: p.at(rng.random()) for name, p in declared.items()} for _ in range(count - 1)]
    exits, filters = ExitGenes(0.3, 1.0, 0.3, 600.0), FilterGenes(10.0, 5.0)
    return [Genome((SignalGene(family, params, 1.0),), 0.5, 0.1, exits, filters) for params in drawn]


def _decisions(strategy: Strategy, events: Events, params: dict[str, float]) -> list[int]:
    """Return the votes at all subscribed events, with one state per token."""
    states: dict[int, object] = {}
    params_of_strategy = strategy.make_params(params)
    return [
        strategy.on_event(params_of_strategy, states.setdefault(event.token, strategy.make_state()), event)
        for event in rows(events)
        if event.kind in strategy.subscriptions
    ]


@every_family
def test_a_family_trades_on_the_synthetic_market_with_finite_results(family: str) -> None:
    results = backtest(synthetic_events(20_000, seed=3), _genomes(family, 40), FAMILIES, MODEL, 1000.0)
    assert sum(r.trades for r in results) > 0
    for result in results:
        assert all(math.isfinite(v) for v in asdict(result).values() if not isinstance(v, str))


@every_family
def test_votes_are_valid_and_reproducible(family: str) -> None:
    strategy = FAMILIES[family]
    for genome in _genomes(family):
        params = genome.signals[0].params
        votes = _decisions(strategy, EVENTS, params)
        assert set(votes) <= {BUY, HOLD, SELL, SHORT}
        assert votes == _decisions(discover()[family], EVENTS, params)


@every_family
def test_compiled_and_plain_states_are_equal(family: str) -> None:
    """Compares the states of the compiled engine with those of the plain Python function."""
    strategy = FAMILIES[family]
    genome = _genomes(family)[1]
    assert loop_of(type(strategy)).address
    engine = Engine(FAMILIES, MODEL, 1000.0)
    engine.add(genome)
    engine.advance(EVENTS)
    states: dict[int, object] = {}
    params = strategy.make_params(genome.signals[0].params)
    last: dict[int, int] = {}
    for event in rows(EVENTS):
        known = states if event.token != NO_TOKEN else {}
        if event.token != NO_TOKEN and event.token not in known:
            states[event.token] = strategy.make_state()
        if event.kind in strategy.subscriptions:
            for token in (
                [event.token] if event.token != NO_TOKEN else [t for t, ts in last.items() if _alive(ts, event)]
            ):
                strategy.on_event(params, states[token], event)
        if event.token != NO_TOKEN:
            if event.token in last and not _alive(last[event.token], event):
                pytest.fail("no token may die on this short tape")
            last[event.token] = event.ts
    kept = engine.population.genes.states[0]
    for token, state in states.items():
        slot = engine.token_slots.slot_of_token[token]
        for name in strategy.state_fields if kept[slot]["incarnation_"] else ():
            value = kept[slot][name]
            assert value == getattr(state, name), (token, name)
            assert math.isfinite(value)


def _alive(ts: int, event: Event) -> bool:
    return event.ts - ts <= MODEL.dead_after_ns


@every_family
def test_a_family_never_buys_on_nan(family: str) -> None:
    """NaN in any field must not lead to an entry."""
    strategy = FAMILIES[family]
    params = strategy.make_params({})
    floats = [name for name in Event._fields if EVENT[name].kind == "f" and name != "sol_usd"]
    assert floats
    for name in floats:
        invalid = [event._replace(**{name: math.nan}) for event in rows(EVENTS[:2000])]
        states: dict[int, object] = {}
        for event in invalid:
            if event.kind in strategy.subscriptions and name in FIELDS[event.kind]:
                state = states.setdefault(event.token, strategy.make_state())
                if strategy.on_event(params, state, event) in (BUY, SHORT):
                    assert all(math.isfinite(value) for value in vars(state).values()), name


@every_family
def test_a_family_takes_less_than_10_ms_per_event(family: str) -> None:
    engine = Engine(FAMILIES, MODEL, 1000.0)
    engine.add(*_genomes(family))
    engine.advance(EVENTS[:100])
    started = time.perf_counter()
    engine.advance(EVENTS[100:])
    assert time.perf_counter() - started < 0.010 * 8 * (len(EVENTS) - 100)


@every_family
def test_a_family_is_a_file_under_80_lines_that_imports_only_the_sdk(family: str) -> None:
    source = (Path(BUNDLED) / f"{family}.py").read_text()
    assert len(source.splitlines()) < 80
    nodes = list(ast.walk(ast.parse(source)))
    imported = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    assert imported == ["memesnipe.sdk"]
    assert not [node for node in nodes if isinstance(node, ast.Import)]
    assert ast.get_docstring(ast.parse(source))
