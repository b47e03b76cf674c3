"""The search space: a population of genomes as two arrays, so that operators work on all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.evolution.ranges import EXITS, FILTERS, SIZE, THRESHOLD, WEIGHT
from memesnipe.sdk import Param
from memesnipe.sdk.registry import Families

UNUSED = 0.5  # the share of a gene that a genome does not have
_DIGITS = 9  # of every number, so that encoding and decoding it again gives the same one, and people can read it


@dataclass(frozen=True, slots=True)
class Genes:
    """A population as arrays.

    ``active``, shape (genomes, families), says which families give a signal. ``shares``, shape (genomes, columns),
    holds where every number lies in its range, 0 to 1 in the parameter's own scale. The numbers of families that
    are not active are carried along: they come into their own when the family does.
    """

    active: NDArray[np.bool_]
    shares: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.active)

    def __getitem__(self, rows: Any) -> "Genes":
        return Genes(self.active[rows], self.shares[rows])


def stack(*parts: Genes) -> Genes:
    """Several populations as one, in that order."""
    return Genes(np.concatenate([p.active for p in parts]), np.concatenate([p.shares for p in parts]))


class Space:
    """What genomes of these families can be, and the columns in which their numbers are."""

    def __init__(self, families: Families) -> None:
        self.names = sorted(families)
        self.columns: list[Param] = []
        self.blocks: list[slice] = []  # of each family: the weight of its vote, then its parameters
        self._params = [list(families[name].params.items()) for name in self.names]
        for params in self._params:
            start = len(self.columns)
            self.columns += [WEIGHT, *(declared for _, declared in params)]
            self.blocks.append(slice(start, len(self.columns)))
        self.common = slice(len(self.columns), len(self.columns) + 2 + len(EXITS) + len(FILTERS))
        self.columns += [THRESHOLD, SIZE, *EXITS.values(), *FILTERS.values()]

    def decode(self, genes: Genes) -> list[Genome]:
        """The genomes of a population."""
        return [self._decode(a, s) for a, s in zip(genes.active, genes.shares.tolist(), strict=True)]

    def _decode(self, active: NDArray[np.bool_], shares: list[float]) -> Genome:
        signals = tuple(self._signal(int(family), shares) for family in np.flatnonzero(active))
        first = self.common.start
        numbers = [value_at(self.columns[first + i], share) for i, share in enumerate(shares[self.common])]
        exits = dict(zip(EXITS, numbers[2:], strict=False))
        filters = dict(zip(FILTERS, numbers[2 + len(EXITS) :], strict=True))
        return Genome(signals, numbers[0], numbers[1], ExitGenes(**exits), FilterGenes(**filters))

    def _signal(self, family: int, shares: list[float]) -> SignalGene:
        first = self.blocks[family].start
        names = [name for name, _ in self._params[family]]
        params = {name: value_at(self.columns[first + i], shares[first + i]) for i, name in enumerate(names, 1)}
        return SignalGene(self.names[family], params, value_at(WEIGHT, shares[first]))

    def encode(self, genomes: Sequence[Genome]) -> Genes:
        """The arrays of some genomes; the inverse of `decode` up to rounding."""
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


def value_at(declared: Param, share: float) -> float:
    """The number at a share of its range, as genomes have it."""
    return rounded(declared.at(share))


def rounded(value: float) -> float:
    """A number with as many digits as genomes have."""
    return float(f"{value:.{_DIGITS}g}")
