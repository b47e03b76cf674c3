"""What every family must show, the bundled ones and those that come: nobody lists them here by name."""

import ast
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from memesnipe.engine.backtest import backtest
from memesnipe.engine.engine import EngineState
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.engine.orders import FillModel
from memesnipe.market.events import Events, rows
from memesnipe.sdk import BUY, HOLD, SELL, Strategy
from memesnipe.sdk.registry import BUNDLED, discover
from tests.support import Market, synthetic_events

FAMILIES = discover()
MODEL = FillModel()
EVENTS = synthetic_events(3000, seed=3)
every_family = pytest.mark.parametrize("family", list(FAMILIES))


def _genomes(family: str, count: int = 8) -> list[Genome]:
    """The defaults, and random parameters."""
    declared, rng = FAMILIES[family].params, np.random.default_rng(1)
    drawn = [{}] + [{name: p.at(rng.random()) for name, p in declared.items()} for _ in range(count - 1)]
    exits, filters = ExitGenes(0.3, 1.0, 0.3, 600.0), FilterGenes(10.0, 5.0)
    return [Genome((SignalGene(family, params, 1.0),), 0.5, 0.1, exits, filters) for params in drawn]


def _decisions(strategy: Strategy, events: Events, params: dict[str, float]) -> list[int]:
    """What it says to each event it reads, each token with its own state."""
    states: dict[int, object] = {}
    made = strategy.make_params(params)
    return [
        strategy.on_event(made, states.setdefault(event.token, strategy.make_state()), event)
        for event in rows(events)
        if event.kind in strategy.subscriptions
    ]


@every_family
def test_it_buys_on_the_synthetic_market_and_its_numbers_are_numbers(family: str) -> None:
    results = backtest(EVENTS, _genomes(family), FAMILIES, MODEL, 1000.0)
    assert sum(r.trades for r in results) > 0
    for result in results:
        assert all(math.isfinite(value) for value in list(asdict(result).values())[1:])


@every_family
def test_it_says_buy_sell_or_hold_and_the_same_each_time(family: str) -> None:
    strategy = FAMILIES[family]
    for genome in _genomes(family):
        params = genome.signals[0].params
        said = _decisions(strategy, EVENTS, params)
        assert set(said) <= {BUY, HOLD, SELL}
        assert said == _decisions(discover()[family], EVENTS, params)


@every_family
def test_what_it_keeps_is_finite_and_of_the_kind_it_declared(family: str) -> None:
    """A NaN or infinity would not survive the snapshot."""
    from memesnipe.engine.engine import Engine

    engine = Engine(FAMILIES, MODEL, 1000.0)
    for genome in _genomes(family):
        engine.add(genome)
    engine.advance(EVENTS[:1000])
    state = TypeAdapter(EngineState)
    assert state.dump_json(state.validate_json(state.dump_json(engine.dump()))) == state.dump_json(engine.dump())
    kinds = [{"f8": float, "i8": int}[f.kind] for f in FAMILIES[family].state_fields.values()]
    for trader in engine.dump().traders:
        for cells in trader.signals.values():
            assert all([type(value) for value in values] == kinds for values, _ in cells)
            assert all(math.isfinite(value) for values, _ in cells for value in values)


@every_family
def test_it_is_one_file_under_80_lines_that_imports_the_sdk_alone(family: str) -> None:
    source = (Path(BUNDLED) / f"{family}.py").read_text()
    assert len(source.splitlines()) < 80
    nodes = list(ast.walk(ast.parse(source)))
    imported = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    assert imported == ["memesnipe.sdk"]
    assert not [node for node in nodes if isinstance(node, ast.Import)]
    assert ast.get_docstring(ast.parse(source))


# The market that each hypothesis is about, and the same with the one thing missing that it waits for.
def _quiet(market: Market) -> Market:
    for i in range(20):
        market.trade(10 + i * 10, sol=0.01 * (-1) ** i)
    return market


MADE_FOR = {
    "momentum_5m": (lambda: _quiet(Market()).trade(215, sol=3.0), lambda: _quiet(Market()).trade(215, sol=-3.0)),
    "mean_revert_1h": (
        lambda: _quiet(Market()).trade(211, sol=-9.0).trade(212, sol=2.0),
        lambda: _quiet(Market()).trade(211, sol=-9.0).trade(212, sol=-0.1),
    ),
    "social_buzz": (
        lambda: Market().talk(1, mentions=2).talk(60, mentions=30, sentiment=0.8),
        lambda: Market().talk(1, mentions=2).talk(60, mentions=30, sentiment=-0.8),
    ),
}


@pytest.mark.parametrize("family", list(MADE_FOR))
def test_it_buys_on_the_market_made_for_it_and_only_there(family: str) -> None:
    wanted, unwanted = (market().events() for market in MADE_FOR[family])
    assert _decisions(FAMILIES[family], wanted, {})[-1] == BUY
    assert BUY not in _decisions(FAMILIES[family], wanted, {})[:-1]
    assert BUY not in _decisions(FAMILIES[family], unwanted, {})
