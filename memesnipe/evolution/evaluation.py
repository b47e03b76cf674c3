"""Evaluation of genomes on segments of a tape, each with a fresh engine, so that no state leaks between segments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.kept_votes import KeptVotes
from memesnipe.engine.layout import SAMPLE_NS
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.evolution.fitness import WORST, fitness_of
from memesnipe.market.events import NS_PER_S, Events
from memesnipe.sdk.registry import Families
from memesnipe.stats.overfitting import block_moments
from memesnipe.stats.splits import Span

SAMPLE_S = SAMPLE_NS / NS_PER_S
BLOCKS = 8  # per segment, for the probability of backtest overfitting


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of time and its events in consecutive slices; ``slices`` can be iterated more than once."""

    span: Span
    slices: Iterable[Events]
    key: str = ""  # segments with equal keys have equal slices; "": nothing is kept of it


@dataclass(frozen=True, slots=True)
class Record:
    """A genome's result in one segment, and its returns for each minute of the span, f4."""

    result: StrategyResult
    returns: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A genome's results in the search's training and validation segments, and its fitness."""

    spec_id: str
    train: StrategyResult | None  # None: the evaluation failed
    validation: StrategyResult | None
    fitness: float
    moments: NDArray[np.float64]  # (2 * BLOCKS, 3): count, sum and sum of squares of the returns
    error: str = ""

    @property
    def is_failed(self) -> bool:
        """Whether the genome could not be run; `error` has the reason."""
        return self.train is None

    @property
    def train_sharpe(self) -> float:
        """The Sharpe ratio in the training segment; 0 if the evaluation failed."""
        return self.train.sharpe if self.train else 0.0

    @property
    def validation_sharpe(self) -> float:
        """The Sharpe ratio in the validation segment; 0 if the evaluation failed."""
        return self.validation.sharpe if self.validation else 0.0


def run_segment(
    segment: Segment,
    genomes: Sequence[Genome],
    families: Families,
    model: FillModel,
    capital_usd: float,
    kept: KeptVotes | None = None,
) -> list[Record]:
    """Run genomes over a segment; return one record per genome, in the order given.

    Memory is bounded by the largest slice, the population, and the votes that are kept from earlier backtests.
    """
    first_sample_ts = (segment.span.start_ts // SAMPLE_NS + 1) * SAMPLE_NS
    intervals = max(segment.span.stop_ts // SAMPLE_NS - segment.span.start_ts // SAMPLE_NS, 1)
    engine = Engine(families, model, capital_usd)
    engine.add(*genomes)
    returns = engine.record_returns(first_sample_ts, intervals)
    voting = engine.use_kept_votes(kept, segment.key) if kept is not None and segment.key else None
    for events in segment.slices:
        engine.advance(events)
    if voting is not None:
        voting.finish()
    row_of = engine.population.row_of
    results = engine.results([genome.spec_id for genome in genomes])
    return [Record(result, returns[row_of[result.spec_id]]) for result in results]


def evaluate(
    train: Segment,
    validation: Segment,
    genomes: Sequence[Genome],
    families: Families,
    model: FillModel,
    capital_usd: float,
    kept: KeptVotes | None = None,
) -> list[Evaluation]:
    """Evaluate genomes in the training and the validation segment.

    A genome that cannot be run does not affect the others. Its failure is a result rather than an exception, because a
    remote task that raises would be retried and would lose the results of the whole batch.
    """
    try:
        return _evaluate(train, validation, genomes, families, model, capital_usd, kept)
    except Exception as error:  # noqa: BLE001 - reported in the result
        if len(genomes) > 1:
            alone = (evaluate(train, validation, [genome], families, model, capital_usd, kept) for genome in genomes)
            return [evaluation for (evaluation,) in alone]
        return [_failure(genomes[0], f"{type(error).__name__}: {error}")]


def _evaluate(
    train: Segment,
    validation: Segment,
    genomes: Sequence[Genome],
    families: Families,
    model: FillModel,
    capital_usd: float,
    kept: KeptVotes | None = None,
) -> list[Evaluation]:
    early = run_segment(train, genomes, families, model, capital_usd, kept)
    late = run_segment(validation, genomes, families, model, capital_usd, kept)
    evaluations = []
    for genome, before, after in zip(genomes, early, late, strict=True):
        blocks = [block_moments(record.returns[None], BLOCKS)[0] for record in (before, after)]
        fitness = fitness_of(before.result, after.result, blocks[0], blocks[1], len(genome.signals))
        moments = np.concatenate(blocks)
        evaluations.append(Evaluation(genome.spec_id, before.result, after.result, fitness, moments))
    return evaluations


def _failure(genome: Genome, error: str) -> Evaluation:
    return Evaluation(genome.spec_id, None, None, WORST, np.zeros((2 * BLOCKS, 3)), error)
