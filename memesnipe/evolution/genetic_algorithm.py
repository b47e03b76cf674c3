"""The genetic algorithm, with an ask-and-tell interface: independent of how genomes are evaluated."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.genome import Genome
from memesnipe.evolution.archive import Archive, Elite
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.guidance import Guidance
from memesnipe.evolution.operators import crossover, mutate, random_genes
from memesnipe.evolution.origins import Litter, Origins
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
    from_arena: float = 0.0  # share of parents that are profitable in the arena; 0: nothing is taken from its results


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
        self.guidance = Guidance()  # what live results say; nothing changes without them
        self._space = Space(families)
        self._settings = settings
        self._rng = np.random.default_rng(seed)
        self._genes = self._space.encode([])
        self._fitness = np.zeros(0)
        self._asked, self._genomes, self._ids = self._genes, list[Genome](), list[str]()
        self.origins = self._origins([], len(self._genes), self._no_litter(), set())  # of the last generation

    def ask(self) -> list[Genome]:
        """Return the next generation, as many genomes as the population has; it begins with `kept`."""
        kept = self.kept(self._settings.population_size)
        return self.ask_with(kept, self._settings.population_size - len(kept))

    def kept(self, at_most: int) -> list[Genome]:
        """Return the elites to evaluate again, because the market of their evaluation may change."""
        size = self._settings.population_size
        order = np.argsort(-self._fitness, kind="stable")
        ranked = (self._space.decode(self._genes[row : row + 1])[0] for row in order)
        held_up = (genome for genome in ranked if genome.spec_id not in self.guidance.losers)
        elites = list(islice(held_up, min(self._settings.elites, at_most)))
        renewals = min(int(size * self._settings.renewals), at_most - len(elites))
        again = self._from_arena(renewals // 2, {genome.spec_id for genome in elites})
        exclude = {genome.spec_id for genome in (*elites, *again)}
        return elites + again + (self.archive.due(renewals - len(again), exclude) if renewals else [])

    def _from_arena(self, count: int, exclude: Container[str]) -> list[Genome]:
        """Return a random choice of the strategies that the arena found profitable."""
        parents = [genome for genome in self.guidance.parents if genome.spec_id not in exclude]
        if not parents:
            return []
        return [parents[i] for i in self._rng.permutation(len(parents))[:count]]

    def ask_with(self, kept: Sequence[Genome], count: int) -> list[Genome]:
        """Return a generation of ``kept`` and ``count`` new genomes; before the first evaluation these are random."""
        before, litter = self._space.encode(kept), self._no_litter()
        if len(self._genes):
            fresh = min(int((len(kept) + count) * self._settings.newcomers), count)
            children, litter = self._children(count - fresh)
            self._asked = stack(before, random_genes(self._rng, self._space, fresh, self._weights()), children)
        else:
            self._asked = stack(before, random_genes(self._rng, self._space, count))
        replaced = self._distinct()
        self.origins = self._origins(kept, len(self._asked) - len(litter.crosses), litter, replaced)
        return self._genomes

    def _origins(self, kept: Sequence[Genome], first_child: int, litter: Litter, replaced: Container[int]) -> Origins:
        of_children = enumerate(self._ids[first_child:])
        rows = {spec_id: row for row, spec_id in of_children if first_child + row not in replaced}
        return Origins(self._space, frozenset(genome.spec_id for genome in kept), rows, litter)

    def _no_litter(self) -> Litter:
        none = self._space.encode([])
        return Litter(none, none, np.zeros(0, np.bool_))

    def _distinct(self) -> set[int]:
        """Set the genomes asked for, with each duplicate replaced by a random genome; return the rows replaced."""
        genomes = self._space.decode(self._asked)
        ids = [genome.spec_id for genome in genomes]
        seen, replaced = set[str](), set[int]()
        for row in range(len(genomes)):
            while ids[row] in seen:
                drawn = random_genes(self._rng, self._space, 1)
                self._asked.active[row], self._asked.shares[row] = drawn.active[0], drawn.shares[0]
                genomes[row] = self._space.decode(drawn)[0]
                ids[row] = genomes[row].spec_id
                replaced.add(row)
            seen.add(ids[row])
        self._genomes, self._ids = genomes, ids
        return replaced

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> None:
        """Set evaluations of genomes of the last generation, the parents of the next one; higher fitness is better."""
        row_of = {spec_id: row for row, spec_id in enumerate(self._ids)}
        self._genes = self._asked[[row_of[genome.spec_id] for genome in genomes]]
        self._fitness = np.array([evaluation.fitness for evaluation in evaluations])
        self.archive.remove(self.guidance.losers)
        losers = self.guidance.losers
        held_up = [pair for pair in zip(genomes, evaluations, strict=True) if pair[0].spec_id not in losers]
        self.archive.add([genome for genome, _ in held_up], [found for _, found in held_up], self.generation)
        self.generation += 1

    def _weights(self) -> NDArray[np.float64] | None:
        """Return the relative probability of each family; None where all are equal."""
        weights = self.guidance.family_weights
        return np.array([weights.get(name, 1.0) for name in self._space.names]) if weights else None

    def _children(self, count: int) -> tuple[Genes, Litter]:
        mothers, fathers = self._select(count), self._select(count)
        crossed = crossover(self._rng, self._space, mothers, fathers)
        crosses = self._rng.random(count) < self._settings.crossover_rate
        children = Genes(
            np.where(crosses[:, None], crossed.active, mothers.active),
            np.where(crosses[:, None], crossed.shares, mothers.shares),
        )
        mutated = mutate(self._rng, children, self._settings.mutation_rate, self._weights())
        return mutated, Litter(mothers, fathers, crosses)

    def _select(self, count: int) -> Genes:
        """Select parents: by tournament from the last generation (Goldberg & Deb 1991), or elites of the archive.

        Where the arena found strategies profitable, others are winners of a tournament among these.
        """
        entrants = self._rng.integers(len(self._genes), size=(count, self._settings.tournament_size))
        winners = entrants[np.arange(count), np.argmax(self._fitness[entrants], axis=1)]
        parents = self._genes[winners]
        elites = [elite.genome for _, elite in sorted(self.archive.elites.items())]
        if elites:
            cells = self._rng.integers(len(elites), size=count)
            chosen = self._rng.random(count) < self._settings.from_archive
            used, places = np.unique(cells[chosen], return_inverse=True)  # each elite is encoded once
            archived = self._space.encode([elites[cell] for cell in used])[places]
            parents.active[chosen], parents.shares[chosen] = archived.active, archived.shares
        if self.guidance.parents:
            entrants = self._rng.integers(len(self.guidance.parents), size=(count, self._settings.tournament_size))
            chosen = self._rng.random(count) < self._settings.from_arena
            proven = self._space.encode([self.guidance.parents[best] for best in entrants.min(axis=1)[chosen]])
            parents.active[chosen], parents.shares[chosen] = proven.active, proven.shares
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
