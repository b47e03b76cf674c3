"""Without an edge no family earns; with a planted edge the family that looks for it does. Judged by the engine."""

from dataclasses import replace

import numpy as np
import pytest

from memesnipe.engine.backtest import backtest
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, simple_genome
from memesnipe.feeds.synth_market.edge import Edge
from memesnipe.feeds.synth_market.market import SynthMarket
from memesnipe.market.events import join
from memesnipe.sdk.registry import discover

FAMILIES = discover()
SEEDS = (1, 2)
OLD_ENOUGH_S = 600.0  # tokens whose launch is over
MANUAL = {
    Edge.MOMENTUM: ("momentum_5m", {"lookback_s": 60.0, "breakout": 0.04, "vol_mult": 1.5}),
    Edge.MEAN_REVERSION: (
        "mean_revert_1h",
        {"lookback_s": 450.0, "drop": 0.12, "stretch": 1.0, "rebound": 0.01, "back": 0.7},
    ),
    Edge.SOCIAL: ("social_buzz", {"lookback_s": 800.0, "burst": 4.0, "fresh_s": 60.0, "least_sentiment": 0.3}),
}


def _genome(edge: Edge) -> Genome:
    family, params = MANUAL[edge]
    exits, filters = ExitGenes(0.3, 2.0, 0.3, 200.0), FilterGenes(0.0, OLD_ENOUGH_S)
    return replace(simple_genome(family, params), size=0.02, exits=exits, filters=filters)


def _profits_usd(market_edge: Edge, genomes: list[Genome]) -> tuple[np.ndarray, np.ndarray]:
    """Return the profit of each genome over all seeds, and its number of trades."""
    profits, trades = np.zeros(len(genomes)), np.zeros(len(genomes))
    for seed in SEEDS:
        events = join(*SynthMarket(seed, 1500, 3.0, market_edge).windows(1800.0))
        events["seq"] = np.arange(1, len(events) + 1)
        for at, result in enumerate(backtest(events, genomes, FAMILIES, FillModel(), 1000.0)):
            profits[at] += result.total_pnl_usd
            trades[at] += result.trades
    return profits, trades


@pytest.mark.parametrize("edge", list(MANUAL))
def test_a_planted_edge_earns_for_its_family(edge: Edge) -> None:
    profits, trades = _profits_usd(edge, [_genome(edge)])
    assert trades[0] >= 50
    assert profits[0] / trades[0] > 0.0


def test_without_an_edge_no_family_earns() -> None:
    rng = np.random.default_rng(5)
    genomes = [_genome(edge) for edge in MANUAL] + [
        _random_genome(rng, family) for family, _ in MANUAL.values() for _ in range(8)
    ]
    profits, trades = _profits_usd(Edge.NONE, genomes)
    active = trades >= 30
    assert active.sum() >= 8
    assert profits[active].sum() < 0.0
    assert np.mean(profits[active] > 0.0) <= 0.1


def _random_genome(rng: np.random.Generator, family: str) -> Genome:
    params = {name: param.at(float(rng.random())) for name, param in FAMILIES[family].params.items()}
    exits = ExitGenes(0.3, float(rng.uniform(0.2, 2.0)), 0.3, float(rng.uniform(30.0, 1800.0)))
    filters = FilterGenes(0.0, float(rng.choice([0.0, 60.0, 600.0])))
    return replace(simple_genome(family, params), size=0.02, exits=exits, filters=filters)
