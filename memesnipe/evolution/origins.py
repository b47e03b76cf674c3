"""Where the genomes of a generation come from: the operator that made each, and its parents."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.genome import Genome
from memesnipe.evolution.space import Genes, Space


class Operator(StrEnum):
    """How a genome came into a generation."""

    KEPT = "kept"  # evaluated again
    RANDOM = "random"
    MUTATION = "mutation"  # of one parent
    CROSSOVER = "crossover"  # of two parents, and mutated


@dataclass(frozen=True, slots=True)
class Origin:
    """The operator that made a genome, and the spec ids of its parents."""

    operator: Operator
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Litter:
    """The children of a generation: the genes of their parents, and which children have two.

    Attributes:
        mothers: of each child.
        fathers: of each child; without effect where it is not crossed.
        crosses: shape (children,).
    """

    mothers: Genes
    fathers: Genes
    crosses: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins of one generation, which are decoded only for the genomes that are asked for."""

    space: Space
    kept: frozenset[str]
    rows: dict[str, int]  # spec id -> row among the children
    litter: Litter

    def of(self, genomes: Iterable[Genome]) -> list[Origin]:
        """Return the origin of each genome of the generation."""
        return [self._of(genome.spec_id) for genome in genomes]

    def _of(self, spec_id: str) -> Origin:
        if spec_id in self.kept:
            return Origin(Operator.KEPT)
        row = self.rows.get(spec_id)
        if row is None:
            return Origin(Operator.RANDOM)
        mother = self._spec_id(self.litter.mothers, row)
        if not self.litter.crosses[row]:
            return Origin(Operator.MUTATION, (mother,))
        father = self._spec_id(self.litter.fathers, row)
        if father == mother:
            return Origin(Operator.MUTATION, (mother,))
        return Origin(Operator.CROSSOVER, (mother, father))

    def _spec_id(self, genes: Genes, row: int) -> str:
        return self.space.decode(genes[row : row + 1])[0].spec_id
