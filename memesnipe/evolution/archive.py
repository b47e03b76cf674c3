"""The archive of a quality-diversity search: the best genome of each cell of behaviour.

MAP-Elites (Mouret & Clune 2015) with a cell for each mix of families, holding time and turnover. Breeding from all
cells preserves ways of trading that are not the best yet, and yields diverse winners. Where the market of the
evaluations changes, elites must be evaluated again, or a lucky evaluation keeps a cell for ever.
"""

from bisect import bisect
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import islice

from memesnipe.engine.genome import Genome
from memesnipe.evolution.cells import HOLDING_S, TURNOVER
from memesnipe.evolution.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Elite:
    """The best genome of a cell."""

    genome: Genome
    fitness: float
    generation: int  # of the latest evaluation
    behaviour: str  # of `behaviour_of`, in the latest evaluation


class Archive:
    """The elites by cell; cells are texts such as ``momentum_5m+social_buzz/2/1``."""

    def __init__(self, elites: dict[str, Elite] | None = None) -> None:
        self.elites: dict[str, Elite] = dict(elites or {})

    def add(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation], generation: int) -> int:
        """Add each genome that is better than its cell's elite or the first of its cell; return how many were added.

        An elite that was evaluated again has its new fitness, in the cell of its new behaviour. It keeps its place
        against a genome with an equal one.
        """
        cells = {elite.genome.spec_id: cell for cell, elite in self.elites.items()}
        pairs = list(zip(genomes, evaluations, strict=True))
        again = [(genome, evaluation) for genome, evaluation in pairs if genome.spec_id in cells]
        for genome, _ in again:
            self.elites.pop(cells[genome.spec_id], None)
        for genome, evaluation in again:
            self._add(genome, evaluation, generation)
        new = ((genome, evaluation) for genome, evaluation in pairs if genome.spec_id not in cells)
        return sum(self._add(genome, evaluation, generation) for genome, evaluation in new)

    def _add(self, genome: Genome, evaluation: Evaluation, generation: int) -> bool:
        cell = cell_of(genome, evaluation)
        if cell is None:
            return False
        elite = self.elites.get(cell)
        if elite is not None and evaluation.fitness <= elite.fitness:
            return False
        self.elites[cell] = Elite(genome, evaluation.fitness, generation, behaviour_of(evaluation))
        return True

    def remove(self, spec_ids: Container[str]) -> None:
        """Remove elites; the cell of each is free."""
        self.elites = {cell: elite for cell, elite in self.elites.items() if elite.genome.spec_id not in spec_ids}

    def due(self, count: int, exclude: Container[str] = ()) -> list[Genome]:
        """Return elites to evaluate again: those with a positive fitness, the oldest evaluation first.

        The others are no candidates for anything, and whatever is better takes their cells.

        Args:
            count: at most so many.
            exclude: spec ids to omit.
        """
        profitable = [(elite.generation, cell) for cell, elite in self.elites.items() if elite.fitness > 0.0]
        oldest = (self.elites[cell].genome for _, cell in sorted(profitable))
        return list(islice((genome for genome in oldest if genome.spec_id not in exclude), count))

    def best(self, count: int) -> list[Elite]:
        """Return the fittest elites, no two with the same mix of families or with the same fills."""
        ranked = sorted(self.elites.items(), key=lambda item: (-item[1].fitness, item[0]))
        by_mix: dict[str, Elite] = {}
        seen: set[str] = set()
        for cell, elite in ranked:
            mix = cell.partition("/")[0]
            if mix not in by_mix and elite.behaviour not in seen:
                by_mix[mix] = elite
                seen.add(elite.behaviour)
        return list(by_mix.values())[:count]


def behaviour_of(evaluation: Evaluation) -> str:
    """Return the digests of a genome's fills in the segments of the search: equal for equal fills."""
    return " ".join(result.digest for result in (evaluation.train, evaluation.validation) if result is not None)


def cell_of(genome: Genome, evaluation: Evaluation) -> str | None:
    """Return the cell of a genome, or None if it never traded."""
    train, validation = evaluation.train, evaluation.validation
    if train is None or validation is None or train.trades + validation.trades == 0:
        return None
    trades = train.trades + validation.trades
    hours = (train.observed_s + validation.observed_s) / 3600.0
    hold_s = (train.mean_hold_s * train.trades + validation.mean_hold_s * validation.trades) / trades
    turnover = trades * genome.size / hours if hours > 0.0 else 0.0
    return f"{mix_of(genome)}/{bisect(HOLDING_S, hold_s)}/{bisect(TURNOVER, turnover)}"


def mix_of(genome: Genome) -> str:
    """Return the families of a genome, such as ``momentum_5m+social_buzz``."""
    return "+".join(gene.family for gene in genome.signals)
