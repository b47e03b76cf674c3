"""The search: ask for genomes, tell what they scored; it knows nothing of how they are evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memesnipe.engine.genome import Genome
from memesnipe.evolution.operators import crossover, mutate, random_genome
from memesnipe.sdk.registry import Families


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How the search goes about it."""

    population_size: int
    mutation_rate: float
    crossover_rate: float
    tournament_size: int
    elites: int = 4
    newcomers: float = 0.1  # share of each generation that is drawn afresh


@dataclass(slots=True)
class SearchState:
    """All it takes to go on with the search: the last generation, its scores, and the random generator."""

    generation: int
    genomes: list[Genome]
    fitness: list[float]
    random_state: dict[str, Any]


class Population:
    """A genetic algorithm with elites, tournament selection, crossover and mutation."""

    def __init__(self, families: Families, settings: SearchSettings, seed: int) -> None:
        self.generation = 0
        self._families = families
        self._settings = settings
        self._rng = np.random.default_rng(seed)
        self._genomes: list[Genome] = []
        self._fitness: list[float] = []

    def ask(self) -> list[Genome]:
        """The next generation. Elites come first, and again: the market they are judged on has moved on."""
        size = self._settings.population_size
        if not self._genomes:
            return [random_genome(self._rng, self._families) for _ in range(size)]
        ranked = sorted(range(len(self._genomes)), key=lambda i: (-self._fitness[i], i))
        elites = min(self._settings.elites, size)
        chosen = {self._genomes[i].spec_id: self._genomes[i] for i in ranked[:elites]}
        fresh = elites + int(size * self._settings.newcomers)
        while len(chosen) < size:
            drawn = random_genome(self._rng, self._families) if len(chosen) < fresh else self._child()
            if drawn.spec_id in chosen:  # children that never differ from their parents would never fill it
                drawn = random_genome(self._rng, self._families)
            chosen[drawn.spec_id] = drawn
        return list(chosen.values())

    def tell(self, genomes: Sequence[Genome], fitness: Sequence[float]) -> None:
        """The scores of the genomes asked for, in their order; higher is better."""
        self._genomes, self._fitness = list(genomes), list(fitness)
        self.generation += 1

    def _child(self) -> Genome:
        child = self._select()
        if self._rng.random() < self._settings.crossover_rate:
            child = crossover(self._rng, child, self._select())
        return mutate(self._rng, child, self._families, self._settings.mutation_rate)

    def _select(self) -> Genome:
        """Tournament selection (Goldberg & Deb 1991): the best of a few drawn at random."""
        drawn = self._rng.integers(len(self._genomes), size=self._settings.tournament_size)
        return self._genomes[max(drawn.tolist(), key=lambda i: (self._fitness[i], -i))]

    def dump(self) -> SearchState:
        """The state as plain data."""
        state = dict(self._rng.bit_generator.state)
        return SearchState(self.generation, self._genomes, self._fitness, state)

    def load(self, state: SearchState) -> None:
        """Go on from the state of `dump`."""
        self.generation = state.generation
        self._genomes, self._fitness = list(state.genomes), list(state.fitness)
        self._rng.bit_generator.state = state.random_state
