"""Random genomes, crossover and mutation of whole populations, on the parameters' own scales."""

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.genome import Genome
from memesnipe.evolution.ranges import MAX_SIGNALS
from memesnipe.evolution.space import Genes, Space
from memesnipe.sdk.registry import Families

STEP = 0.15  # standard deviation of a mutation, as a share of the range
LONG_JUMP = 0.1  # share of mutations drawn uniformly, to reach a narrow optimum far away


def random_genes(
    rng: np.random.Generator, space: Space, count: int, weights: NDArray[np.float64] | None = None
) -> Genes:
    """Return random genes: one to three signals of different families, all numbers uniform on their own scales.

    Args:
        rng: the source of randomness.
        space: of the genomes.
        count: number of genomes.
        weights: relative probability of each family, shape (families,), positive; None: all are equal.
    """
    families = len(space.names)
    wanted = rng.integers(1, min(MAX_SIGNALS, families) + 1, count)
    order = np.argsort(_sorted_keys(rng.random((count, families)), weights), axis=1)
    active = np.zeros((count, families), np.bool_)
    np.put_along_axis(active, order, np.arange(families) < wanted[:, None], axis=1)
    return Genes(active, rng.random((count, len(space.columns))))


def _sorted_keys(uniform: NDArray[np.float64], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return keys whose ascending order is a weighted sample without replacement (Efraimidis & Spirakis 2006)."""
    return uniform if weights is None else -np.log1p(-uniform) / weights


def random_genomes(rng: np.random.Generator, families: Families, count: int) -> list[Genome]:
    """Return random genomes, drawn by `random_genes`."""
    space = Space(families)
    return space.decode(random_genes(rng, space, count))


def crossover(rng: np.random.Generator, space: Space, mothers: Genes, fathers: Genes) -> Genes:
    """Return one child per pair, each number from either parent.

    The numbers of a family of only one parent are those of that parent; a family of both is mixed number by number
    (uniform crossover, Syswerda 1989). The child has as many signals as one of its parents.
    """
    count, families = mothers.active.shape
    from_father = rng.random(mothers.shares.shape) < 0.5
    for family, block in enumerate(space.blocks):
        only_mother = mothers.active[:, family] & ~fathers.active[:, family]
        only_father = fathers.active[:, family] & ~mothers.active[:, family]
        from_father[only_mother, block], from_father[only_father, block] = False, True
    shares = np.where(from_father, fathers.shares, mothers.shares)
    sizes = np.where(rng.random(count) < 0.5, mothers.active.sum(axis=1), fathers.active.sum(axis=1))
    # A random choice of that many families from those of either parent.
    key = np.where(mothers.active | fathers.active, rng.random((count, families)), 2.0)
    rank = np.argsort(np.argsort(key, axis=1), axis=1)
    return Genes(rank < sizes[:, None], shares)


def mutate(rng: np.random.Generator, genes: Genes, rate: float, weights: NDArray[np.float64] | None = None) -> Genes:
    """Mutate each number with probability ``rate``; with that probability also add, drop or replace a signal.

    A signal that is added is of a family drawn with ``weights``, shape (families,); None: all are equal.
    """
    shape = genes.shares.shape
    stepped = _reflected(genes.shares + rng.normal(0.0, STEP, shape))
    moved = np.where(rng.random(shape) < LONG_JUMP, rng.random(shape), stepped)
    shares = np.where(rng.random(shape) < rate, moved, genes.shares)
    changes = rng.random(len(genes)) < rate
    return Genes(np.where(changes[:, None], _restructured(rng, genes.active, weights), genes.active), shares)


def _reflected(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reflect steps beyond the end of a range; clipping would accumulate genomes at the ends."""
    folded = np.abs(shares) % 2.0
    return np.where(folded > 1.0, 2.0 - folded, folded)


def _restructured(
    rng: np.random.Generator, active: NDArray[np.bool_], weights: NDArray[np.float64] | None
) -> NDArray[np.bool_]:
    """Add, drop or replace a signal per genome: one of the possible changes, with equal probability."""
    count, families = active.shape
    signals = active.sum(axis=1)
    # 0 adds, 1 drops, 2 replaces
    can = np.stack([signals < min(MAX_SIGNALS, families), signals > 1, signals < families], axis=1)
    choice = np.argmax(np.where(can, rng.random((count, 3)), -1.0), axis=1)
    choice = np.where(can.any(axis=1), choice, -1)  # with a single family there is no change
    changed = active.copy()
    rows = np.arange(count)
    one_out = np.argmax(np.where(active, rng.random(active.shape), -1.0), axis=1)
    one_in = np.argmin(np.where(active, np.inf, _sorted_keys(1.0 - rng.random(active.shape), weights)), axis=1)
    drops, adds = choice >= 1, (choice == 0) | (choice == 2)
    changed[rows[drops], one_out[drops]] = False
    changed[rows[adds], one_in[adds]] = True
    return changed
