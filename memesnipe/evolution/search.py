"""One search from its first generation on: what was asked, what came of it, and a digest over all of it."""

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

MAX_FOR_PBO: Final = 500  # genomes of a generation, evenly taken, for the probability of overfitting


@dataclass(frozen=True, slots=True)
class Summary:
    """A generation in numbers."""

    index: int
    evaluations: int
    best_fitness: float
    median_fitness: float
    pbo: float  # probability of backtest overfitting among its genomes
    cells: int  # of the archive, so far
    failed: int  # genomes that could not be run

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(slots=True)
class _State:
    search: SearchState
    digest: str


_STATE = TypeAdapter(_State)


class Search:
    """A population with the history of what it was told."""

    def __init__(self, families: Families, settings: SearchSettings, seed: int) -> None:
        self.population = GeneticAlgorithm(families, settings, seed)
        self.digest = ""

    @property
    def generation(self) -> int:
        """The index of the generation that is asked for next."""
        return self.population.generation

    def ask(self) -> list[Genome]:
        """The next generation."""
        return self.population.ask()

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> Summary:
        """How it did, in the order asked."""
        index = self.generation
        self.population.tell(genomes, evaluations)
        self.note(evaluations)
        fitness = [evaluation.fitness for evaluation in evaluations]
        return Summary(
            index=index,
            evaluations=len(evaluations),
            best_fitness=max(fitness),
            median_fitness=statistics.median(fitness),
            pbo=probability_of_overfitting(evaluations),
            cells=len(self.population.archive.elites),
            failed=sum(evaluation.is_failed for evaluation in evaluations),
        )

    def note(self, evaluations: Sequence[Evaluation]) -> None:
        """Take evaluations into the digest, which is equal for equal histories."""
        lines = [self.digest]
        for found in evaluations:
            digests = [result.digest if result else "" for result in (found.train, found.validation)]
            lines.append(f"{found.spec_id} {found.fitness!r} {' '.join(digests)}")
        self._digest(lines)

    def note_records(self, records: Sequence[Record]) -> None:
        """Take into the digest what champions did where the search never looked."""
        self._digest([self.digest, *(f"{record.result.spec_id} {record.result.digest}" for record in records)])

    def _digest(self, lines: list[str]) -> None:
        self.digest = blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()

    def dump(self) -> bytes:
        """The whole state."""
        return _STATE.dump_json(_State(self.population.dump(), self.digest))

    def load(self, state: bytes) -> None:
        """Go on from the state of `dump`."""
        loaded = _STATE.validate_json(state)
        self.digest = loaded.digest
        self.population.load(loaded.search)


def probability_of_overfitting(evaluations: Sequence[Evaluation]) -> float:
    """How likely the best of them in one half of the time is below the median in the other; 0.5 where none traded."""
    moments = np.stack([evaluation.moments for evaluation in evaluations])
    traded = moments[moments[:, :, 2].sum(axis=1) > 0.0]
    if len(traded) < 2:
        return 0.5
    step = -(-len(traded) // MAX_FOR_PBO)
    return overfitting(traded[::step]).pbo
