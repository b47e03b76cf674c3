"""A search: the genetic algorithm with a summary of each generation and a digest of the history."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Evaluation, Record
from memesnipe.evolution.genetic_algorithm import GeneticAlgorithm, SearchSettings, SearchState
from memesnipe.sdk.registry import Families
from memesnipe.stats.overfitting import overfitting

MAX_FOR_PBO: Final = 500  # at most so many genomes of a generation enter the probability of overfitting, evenly spaced


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one generation."""

    index: int
    evaluations: int
    best_fitness: float
    median_fitness: float
    pbo: float  # probability of backtest overfitting among its genomes
    cells: int  # occupied cells of the archive
    failed: int  # genomes that could not be run

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON-ready data."""
        return asdict(self)


@dataclass(slots=True)
class _State:
    search: SearchState
    digest: str


_STATE = TypeAdapter(_State)


class Search:
    """A genetic algorithm with a digest of its history."""

    def __init__(self, families: Families, settings: SearchSettings, seed: int) -> None:
        self.algorithm = GeneticAlgorithm(families, settings, seed)
        self.digest = ""

    @property
    def generation(self) -> int:
        """The index of the generation that `ask` returns next."""
        return self.algorithm.generation

    def ask(self) -> list[Genome]:
        """Return the genomes of the next generation."""
        return self.algorithm.ask()

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> Summary:
        """Set the evaluations of the generation, in its order; return its summary."""
        index = self.generation
        self.algorithm.tell(genomes, evaluations)
        self.record_evaluations(evaluations)
        fitness = [evaluation.fitness for evaluation in evaluations]
        return Summary(
            index=index,
            evaluations=len(evaluations),
            best_fitness=max(fitness),
            median_fitness=statistics.median(fitness),
            pbo=probability_of_overfitting(evaluations),
            cells=len(self.algorithm.archive.elites),
            failed=sum(evaluation.is_failed for evaluation in evaluations),
        )

    def record_evaluations(self, evaluations: Sequence[Evaluation]) -> None:
        """Add evaluations to the digest, which is equal for equal histories."""
        lines = [self.digest]
        for found in evaluations:
            digests = [result.digest if result else "" for result in (found.train, found.validation)]
            lines.append(f"{found.spec_id} {found.fitness!r} {' '.join(digests)}")
        self._digest(lines)

    def record_holdout(self, records: Sequence[Record]) -> None:
        """Add holdout records to the digest."""
        self._digest([self.digest, *(f"{record.result.spec_id} {record.result.digest}" for record in records)])

    def _digest(self, lines: list[str]) -> None:
        self.digest = blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()

    def dump(self) -> bytes:
        """Return the whole state as JSON."""
        return _STATE.dump_json(_State(self.algorithm.dump(), self.digest))

    def load(self, state: bytes) -> None:
        """Replace the state by one that `dump` returned."""
        loaded = _STATE.validate_json(state)
        self.digest = loaded.digest
        self.algorithm.load(loaded.search)


def probability_of_overfitting(evaluations: Sequence[Evaluation], at_most: int = MAX_FOR_PBO) -> float:
    """Return the probability that the best genome of one half of the time is below the median in the other half.

    It is 0.5 if fewer than two genomes traded. Of many genomes ``at_most`` count, evenly spaced.
    """
    moments = np.stack([evaluation.moments for evaluation in evaluations])
    traded = moments[moments[:, :, 2].sum(axis=1) > 0.0]
    if len(traded) < 2:
        return 0.5
    step = -(-len(traded) // at_most)
    return overfitting(traded[::step]).pbo
