"""A backtest: the engine advanced over a whole tape in one batch."""

from collections.abc import Sequence

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.market.events import Events
from memesnipe.sdk.registry import Families


def backtest(
    events: Events, genomes: Sequence[Genome], families: Families, model: FillModel, capital_usd: float
) -> list[StrategyResult]:
    """Return one result per genome, in the order given; equal genomes have the same result."""
    engine = Engine(families, model, capital_usd)
    engine.add(*genomes)
    engine.advance(events)
    return engine.results([genome.spec_id for genome in genomes])
