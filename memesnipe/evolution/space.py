"""The search space: a population of genomes as two arrays, so that operators are vectorised."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.evolution.ranges import EXITS, FILTERS, SIZE, THRESHOLD, WEIGHT
from memesnipe.sdk import Param
from memesnipe.sdk.registry import Families

UNUSED = 0.5  # the share of the numbers of a family that a genome does not have
_DIGITS = 9  # significant digits of every number, so that encoding and decoding is exact and numbers are readable


@dataclass(frozen=True, slots=True)
class Genes:
    """A population as arrays.

    ``active``, shape (genomes, families), marks the families with a signal. ``shares``, shape (genomes, columns), has
    the share of every number in its range, 0 to 1 on the parameter's own scale. Inactive families keep their numbers,
    which are used when the family becomes active.
    """

    active: NDArray[np.bool_]
    shares: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.active)

    def __getitem__(self, rows: Any) -> "Genes":
        return Genes(self.active[rows], self.shares[rows])


def stack(*parts: Genes) -> Genes:
    """Concatenate populations."""
    return Genes(np.concatenate([p.active for p in parts]), np.concatenate([p.shares for p in parts]))


class Space:
    """The space of genomes of some families, and the columns of their numbers."""

    def __init__(self, families: Families) -> None:
        self.names = sorted(families)
        self.columns: list[Param] = []
        self.blocks: list[slice] = []  # columns of each family: the weight of its vote, then its parameters
        self._params = [list(families[name].params.items()) for name in self.names]
        for params in self._params:
            start = len(self.columns)
            self.columns += [WEIGHT, *(declared for _, declared in params)]
            self.blocks.append(slice(start, len(self.columns)))
        self.common = slice(len(self.columns), len(self.columns) + 2 + len(EXITS) + len(FILTERS))
        self.columns += [THRESHOLD, SIZE, *EXITS.values(), *FILTERS.values()]
        self._low, self._high = np.array([(p.low, p.high) for p in self.columns], np.float64).T
        self._logs = [(i, p.low, math.log(p.high / p.low)) for i, p in enumerate(self.columns) if p.log]

    def decode(self, genes: Genes) -> list[Genome]:
        """Return the genomes of a population."""
        return [self._decode(a, v) for a, v in zip(genes.active.tolist(), self._values(genes.shares), strict=True)]

    def _values(self, shares: NDArray[np.float64]) -> list[list[float]]:
        """Return the numbers at shares of their ranges, not rounded: those of `Param.at`, a column at a time."""
        values = self._low + shares * (self._high - self._low)
        for column, low, logarithm in self._logs:
            exponents = (shares[:, column] * logarithm).tolist()
            values[:, column] = [low * math.exp(x) for x in exponents]  # numpy's differs in the last bit
        return list(np.minimum(np.maximum(values, self._low), self._high).tolist())

    def _decode(self, active: list[bool], values: list[float]) -> Genome:
        signals = tuple(self._signal(family, values) for family, is_active in enumerate(active) if is_active)
        numbers = [rounded(value) for value in values[self.common]]
        exits = dict(zip(EXITS, numbers[2:], strict=False))
        filters = dict(zip(FILTERS, numbers[2 + len(EXITS) :], strict=True))
        return Genome(signals, numbers[0], numbers[1], ExitGenes(**exits), FilterGenes(**filters))

    def _signal(self, family: int, values: list[float]) -> SignalGene:
        weight, *numbers = [rounded(value) for value in values[self.blocks[family]]]
        params = {name: number for (name, _), number in zip(self._params[family], numbers, strict=True)}
        return SignalGene(self.names[family], params, weight)

    def encode(self, genomes: Sequence[Genome]) -> Genes:
        """Return the arrays of genomes; the inverse of `decode` up to rounding."""
        active = np.zeros((len(genomes), len(self.names)), np.bool_)
        shares = np.full((len(genomes), len(self.columns)), UNUSED)
        for row, genome in enumerate(genomes):
            for gene in genome.signals:
                family = self.names.index(gene.family)
                active[row, family] = True
                values = [gene.weight, *(gene.params.get(name, p.default) for name, p in self._params[family])]
                self._write(shares[row], self.blocks[family], values)
            exits, filters = genome.exits, genome.filters
            values = [genome.threshold, genome.size, *(getattr(exits, name) for name in EXITS)]
            self._write(shares[row], self.common, values + [getattr(filters, name) for name in FILTERS])
        return Genes(active, shares)

    def _write(self, row: NDArray[np.float64], block: slice, values: list[float]) -> None:
        row[block] = [p.share(value) for p, value in zip(self.columns[block], values, strict=True)]


def rounded(value: float) -> float:
    """Round a number to the significant digits of genomes."""
    return float(f"{value:.{_DIGITS}g}")
