"""The genetic algorithm, with an ask-and-tell interface: independent of how genomes are evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memesnipe.engine.genome import Genome
from memesnipe.evolution.archive import Archive, Elite
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.operators import crossover, mutate, random_genes
from memesnipe.evolution.space import Genes, Space, stack
from memesnipe.sdk.registry import Families


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The parameters of the genetic algorithm."""

    population_size: int
    mutation_rate: float
    crossover_rate: float
    tournament_size: int
    elites: int = 4
    first_size: int = 0  # genomes in the first generation, if more than in later ones
    newcomers: float = 0.1  # share of each generation that is random
    from_archive: float = 0.5  # share of parents that are elites of the archive, all cells equally likely
    renewals: float = 0.0  # share of each generation, at most: elites of the archive that are evaluated again


@dataclass(slots=True)
class SearchState:
    """The state to resume a search: the last generation, its fitness, the archive, the random generator."""

    generation: int
    active: list[list[bool]]
    shares: list[list[float]]
    fitness: list[float]
    elites: dict[str, Elite]
    random_state: dict[str, Any]


class GeneticAlgorithm:
    """A genetic algorithm with elites, tournaments, crossover, mutation and a quality-diversity archive."""

    def __init__(self, families: Families, settings: SearchSettings, seed: int) -> None:
        self.generation = 0
        self.archive = Archive()
        self._space = Space(families)
        self._settings = settings
        self._rng = np.random.default_rng(seed)
        self._genes = self._space.encode([])
        self._fitness = np.zeros(0)
        self._asked = self._genes

    def ask(self) -> list[Genome]:
        """Return the next generation. It begins with the elites, because the market of their evaluation may change."""
        size = self._settings.population_size
        if len(self._genes):
            elites = self._genes[np.argsort(-self._fitness, kind="stable")[: min(self._settings.elites, size)]]
            renewed = self._renewed(min(int(size * self._settings.renewals), size - len(elites)), elites)
            kept = stack(elites, renewed)
            fresh = min(int(size * self._settings.newcomers), size - len(kept))
            children = self._children(size - len(kept) - fresh)
            self._asked = stack(kept, random_genes(self._rng, self._space, fresh), children)
        else:
            self._asked = random_genes(self._rng, self._space, max(size, self._settings.first_size))
        return self._distinct()

    def _renewed(self, count: int, elites: Genes) -> Genes:
        """Return elites of the archive to evaluate again, other than the elites of the last generation."""
        exclude = {genome.spec_id for genome in self._space.decode(elites)}
        return self._space.encode(self.archive.due(count, exclude) if count else [])

    def _distinct(self) -> list[Genome]:
        """Return the genomes asked for, with each duplicate replaced by a random genome."""
        genomes = self._space.decode(self._asked)
        seen: set[str] = set()
        for row in range(len(genomes)):
            while genomes[row].spec_id in seen:
                drawn = random_genes(self._rng, self._space, 1)
                self._asked.active[row], self._asked.shares[row] = drawn.active[0], drawn.shares[0]
                genomes[row] = self._space.decode(drawn)[0]
            seen.add(genomes[row].spec_id)
        return genomes

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> None:
        """Set the evaluations of the genomes of the last `ask`, in their order; higher fitness is better."""
        self._genes = self._asked
        self._fitness = np.array([evaluation.fitness for evaluation in evaluations])
        self.archive.add(genomes, evaluations, self.generation)
        self.generation += 1

    def _children(self, count: int) -> Genes:
        mothers, fathers = self._select(count), self._select(count)
        crossed = crossover(self._rng, self._space, mothers, fathers)
        crosses = self._rng.random(count) < self._settings.crossover_rate
        children = Genes(
            np.where(crosses[:, None], crossed.active, mothers.active),
            np.where(crosses[:, None], crossed.shares, mothers.shares),
        )
        return mutate(self._rng, children, self._settings.mutation_rate)

    def _select(self, count: int) -> Genes:
        """Select parents: by tournament from the last generation (Goldberg & Deb 1991), or elites of the archive."""
        entrants = self._rng.integers(len(self._genes), size=(count, self._settings.tournament_size))
        winners = entrants[np.arange(count), np.argmax(self._fitness[entrants], axis=1)]
        parents = self._genes[winners]
        elites = [elite.genome for _, elite in sorted(self.archive.elites.items())]
        if elites:
            cells = self._rng.integers(len(elites), size=count)
            chosen = self._rng.random(count) < self._settings.from_archive
            archived = self._space.encode([elites[cell] for cell in cells[chosen]])
            parents.active[chosen], parents.shares[chosen] = archived.active, archived.shares
        return parents

    def dump(self) -> SearchState:
        """Return the state as plain data."""
        state = dict(self._rng.bit_generator.state)
        genes, fitness = self._genes, self._fitness.tolist()
        return SearchState(
            self.generation, genes.active.tolist(), genes.shares.tolist(), fitness, dict(self.archive.elites), state
        )

    def load(self, state: SearchState) -> None:
        """Replace the state by one that `dump` returned."""
        self.generation = state.generation
        families, columns = len(self._space.names), len(self._space.columns)
        self._genes = Genes(
            np.array(state.active, np.bool_).reshape(-1, families), np.array(state.shares).reshape(-1, columns)
        )
        self._fitness = np.array(state.fitness)
        self.archive = Archive(state.elites)
        self._rng.bit_generator.state = state.random_state
