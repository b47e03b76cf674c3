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
        self._asked, self._genomes = self._genes, list[Genome]()

    def ask(self) -> list[Genome]:
        """Return the next generation, as many genomes as the population has; it begins with `kept`."""
        kept = self.kept(self._settings.population_size)
        return self.ask_with(kept, self._settings.population_size - len(kept))

    def kept(self, at_most: int) -> list[Genome]:
        """Return the elites to evaluate again, because the market of their evaluation may change."""
        size = self._settings.population_size
        best = np.argsort(-self._fitness, kind="stable")[: min(self._settings.elites, at_most)]
        elites = self._space.decode(self._genes[best])
        renewals = min(int(size * self._settings.renewals), at_most - len(elites))
        exclude = {genome.spec_id for genome in elites}
        return elites + (self.archive.due(renewals, exclude) if renewals else [])

    def ask_with(self, kept: Sequence[Genome], count: int) -> list[Genome]:
        """Return a generation of ``kept`` and ``count`` new genomes; before the first evaluation these are random."""
        before = self._space.encode(kept)
        if len(self._genes):
            fresh = min(int((len(kept) + count) * self._settings.newcomers), count)
            children = self._children(count - fresh)
            self._asked = stack(before, random_genes(self._rng, self._space, fresh), children)
        else:
            self._asked = stack(before, random_genes(self._rng, self._space, count))
        return self._distinct()

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
        self._genomes = genomes
        return genomes

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> None:
        """Set evaluations of genomes of the last generation, the parents of the next one; higher fitness is better."""
        row_of = {genome.spec_id: row for row, genome in enumerate(self._genomes)}
        self._genes = self._asked[[row_of[genome.spec_id] for genome in genomes]]
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
