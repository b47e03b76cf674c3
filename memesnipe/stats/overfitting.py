"""The probability of backtest overfitting, by combinatorially symmetric cross-validation.

Bailey, Borwein, Lopez de Prado and Zhu, The Probability of Backtest Overfitting (2017). The returns enter as sums over
blocks of time, so that nobody has to keep them all.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_MIN_VARIANCE: Final = 1e-18
_SAME: Final = 1e-9  # performances that are closer are equal; rounding is far below, and what matters far above
_AT_ONCE: Final = 1 << 20  # strategies times splits, for which about ten arrays are held at once


@dataclass(frozen=True, slots=True)
class Overfitting:
    """What choosing the best in one half of the time is worth in the other half."""

    pbo: float  # probability that the best in sample is below the median out of sample
    logits: NDArray[np.float64]  # (splits,) of its relative rank out of sample
    degradation_slope: float  # of its performance out of sample on that in sample
    probability_of_loss: float  # that its performance out of sample is below 0


def block_moments(returns: NDArray[np.floating[Any]], blocks: int) -> NDArray[np.float64]:
    """Count, sum and sum of squares in consecutive blocks of nearly equal length.

    Args:
        returns: (strategies, periods).
        blocks: how many; their lengths differ by one period at most, and some are empty if there are fewer periods.

    Returns:
        (strategies, blocks, 3).

    Raises:
        ValueError: there is no block.
    """
    if blocks < 1:
        raise ValueError(f"{blocks} blocks: need 1 or more")
    edges = np.arange(blocks + 1) * returns.shape[1] // blocks
    moments = np.zeros((len(returns), blocks, 3))
    for block in range(blocks):
        part = np.asarray(returns[:, edges[block] : edges[block + 1]], np.float64)
        moments[:, block] = np.stack(
            [np.full(len(part), float(part.shape[1])), part.sum(axis=1), (part**2).sum(axis=1)], axis=1
        )
    return moments


def overfitting(moments: NDArray[np.float64]) -> Overfitting:
    """Choose the best strategy in every half of the blocks, and see how it ranks in the other half.

    Performance is the Sharpe ratio per period; 0 where returns do not vary. Equal performances share their middle
    rank, also where only rounding tells them apart, as it does one strategy at two sizes. A rank exactly in the middle
    is neither above nor below the median and counts half: choosing among equals is a coin toss, not a failure, and
    noise comes to 0.5 for any number of strategies. Of those equal in sample the first is chosen.

    Args:
        moments: (strategies, blocks, 3) of `block_moments`; an even number of blocks.

    Raises:
        ValueError: fewer than 2 strategies, or an odd number of blocks, or fewer than 4.
    """
    strategies, blocks, _ = moments.shape
    if strategies < 2 or blocks < 4 or blocks % 2:
        raise ValueError(f"{strategies} strategies in {blocks} blocks: need 2 or more, in an even number from 4 on")
    chosen = np.array(list(combinations(range(blocks), blocks // 2)))
    halves = np.zeros((len(chosen), blocks), np.bool_)
    np.put_along_axis(halves, chosen, True, axis=1)
    size = max(_AT_ONCE // strategies, 1)
    parts = [_of_halves(moments, halves[start : start + size]) for start in range(0, len(halves), size)]
    ranks, inside, outside = (np.concatenate(column) for column in zip(*parts, strict=True))
    logits = np.log(ranks / (1.0 - ranks))
    pbo = float(np.mean(logits < 0.0) + np.mean(logits == 0.0) / 2)
    spread = float(np.var(inside))
    together = float(np.mean((inside - inside.mean()) * (outside - outside.mean())))
    slope = together / spread if spread > _SAME**2 else 0.0
    return Overfitting(pbo, logits, slope, float(np.mean(outside < 0.0)))


def _of_halves(moments: NDArray[np.float64], halves: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
    """For each half, shape (splits,): the best one's relative rank outside, its performance inside and outside."""
    inside = _performance(moments, halves)
    outside = _performance(moments, ~halves)
    best = np.argmax(inside, axis=1)
    rows = np.arange(len(halves))
    its = outside[rows, best]
    # A matrix product rounds equal columns differently, so that equality needs some room.
    room = _SAME * np.maximum(np.abs(its), 1.0)
    below = np.count_nonzero(outside < (its - room)[:, None], axis=1)
    above = np.count_nonzero(outside > (its + room)[:, None], axis=1)
    ranks = 0.5 + (below - above) / (2 * (len(moments) + 1))  # the middle of those that it equals, over N + 1
    return ranks, inside[rows, best], its


def _performance(moments: NDArray[np.float64], halves: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The Sharpe ratio of every strategy over the blocks of each half, shape (splits, strategies)."""
    weights = halves.astype(np.float64)
    count, total, squares = (weights @ moments[:, :, i].T for i in range(3))
    mean = total / np.maximum(count, 1.0)
    variance = squares - count * mean**2  # times count
    solid = variance > np.maximum(_MIN_VARIANCE, 1e-12 * count * mean**2)
    deviation = np.sqrt(np.where(solid, variance, 1.0) / np.maximum(count - 1.0, 1.0))
    return np.where(solid, mean / deviation, 0.0)
