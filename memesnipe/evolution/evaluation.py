"""Evaluation of genomes on segments of a tape, each with a fresh engine, so that no state leaks between segments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.engine import Engine
from memesnipe.engine.figures import RESULT, result_from
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
    events: int = 1  # in the slices, or about as many: what a backtest costs, relative to other segments


@dataclass(frozen=True, slots=True)
class Record:
    """A genome's result in one segment, and its returns for each minute of the span, f4."""

    result: StrategyResult
    returns: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Part:
    """The results of genomes in one segment, in their order, as arrays: a process sends them to another fast."""

    results: NDArray[Any]  # dtype RESULT
    moments: NDArray[np.float64]  # shape (genomes, BLOCKS, 3): count, sum and sum of squares of the returns
    errors: dict[int, str]  # why genomes could not be run, by their index


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
    engine, returns = _run(segment, genomes, families, model, capital_usd, kept)
    row_of = engine.population.row_of
    results = engine.results([genome.spec_id for genome in genomes])
    return [Record(result, returns[row_of[result.spec_id]]) for result in results]


def _run(
    segment: Segment,
    genomes: Sequence[Genome],
    families: Families,
    model: FillModel,
    capital_usd: float,
    kept: KeptVotes | None,
) -> tuple[Engine, NDArray[np.float32]]:
    """Run genomes over a segment; return the engine and the returns of its rows."""
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
    return engine, returns


def run_part(
    segment: Segment,
    genomes: Sequence[Genome],
    families: Families,
    model: FillModel,
    capital_usd: float,
    kept: KeptVotes | None = None,
) -> Part:
    """Run genomes over a segment.

    A genome that cannot be run does not affect the others. Its failure is a result rather than an exception, because a
    remote task that raises would be retried and would lose the results of the whole batch.
    """
    try:
        engine, returns = _run(segment, genomes, families, model, capital_usd, kept)
    except Exception as error:  # noqa: BLE001 - reported in the result
        if len(genomes) > 1:
            return join_parts([run_part(segment, [g], families, model, capital_usd, kept) for g in genomes])
        return Part(np.zeros(1, RESULT), np.zeros((1, BLOCKS, 3)), {0: f"{type(error).__name__}: {error}"})
    rows = [engine.population.row_of[genome.spec_id] for genome in genomes]
    return Part(engine.records()[rows], block_moments(returns, BLOCKS)[rows], {})


def join_parts(parts: Sequence[Part]) -> Part:
    """Join the results of one or more consecutive groups of genomes in the same segment."""
    errors, first = dict[int, str](), 0
    for part in parts:
        errors |= {first + index: error for index, error in part.errors.items()}
        first += len(part.results)
    return Part(
        np.concatenate([part.results for part in parts]), np.concatenate([part.moments for part in parts]), errors
    )


def evaluate(
    train: Segment,
    validation: Segment,
    genomes: Sequence[Genome],
    families: Families,
    model: FillModel,
    capital_usd: float,
    kept: KeptVotes | None = None,
) -> list[Evaluation]:
    """Evaluate genomes in the training and the validation segment; a failing one does not affect the others."""
    early, late = (run_part(part, genomes, families, model, capital_usd, kept) for part in (train, validation))
    return evaluations_of(genomes, early, late)


def evaluations_of(genomes: Sequence[Genome], train: Part, validation: Part) -> list[Evaluation]:
    """Return the evaluations of genomes from their results in the training and the validation segment."""
    found = []
    for index, genome in enumerate(genomes):
        error = train.errors.get(index) or validation.errors.get(index, "")
        if error:
            found.append(Evaluation(genome.spec_id, None, None, WORST, np.zeros((2 * BLOCKS, 3)), error))
            continue
        early, late = (result_from(genome.spec_id, part.results[index]) for part in (train, validation))
        moments = np.concatenate([train.moments[index], validation.moments[index]])
        fitness = fitness_of(early, late, moments[:BLOCKS], moments[BLOCKS:], len(genome.signals))
        found.append(Evaluation(genome.spec_id, early, late, fitness, moments))
    return found
