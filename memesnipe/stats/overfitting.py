"""The probability of backtest overfitting, by combinatorially symmetric cross-validation.

Bailey, Borwein, Lopez de Prado and Zhu, The Probability of Backtest Overfitting (2017). The returns enter as sums over
blocks of time, so that they need not be stored.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_MIN_VARIANCE: Final = 1e-18
_SAME: Final = 1e-9  # tolerance of equal performances: far above rounding errors, far below relevant differences
_AT_ONCE: Final = 1 << 14  # strategies times splits per step: about ten arrays of this size fit into a core's cache


@dataclass(frozen=True, slots=True)
class Overfitting:
    """The out-of-sample performance of the strategy that is best in sample, over all splits of the time."""

    pbo: float  # probability that the best in sample is below the median out of sample
    logits: NDArray[np.float64]  # shape (splits,): logits of its relative rank out of sample
    degradation_slope: float  # regression slope of its performance out of sample on that in sample
    probability_of_loss: float  # probability that its performance out of sample is below 0


def block_moments(returns: NDArray[np.floating[Any]], blocks: int) -> NDArray[np.float64]:
    """Return count, sum and sum of squares of returns in consecutive blocks of nearly equal length.

    Args:
        returns: shape (strategies, periods).
        blocks: number of blocks; lengths differ by at most one period, some are empty if there are fewer periods.

    Returns:
        Shape (strategies, blocks, 3).

    Raises:
        ValueError: there is no block.
    """
    if blocks < 1:
        raise ValueError(f"{blocks} blocks: need at least 1")
    edges = np.arange(blocks + 1) * returns.shape[1] // blocks
    moments = np.zeros((len(returns), blocks, 3))
    for block in range(blocks):
        part = np.asarray(returns[:, edges[block] : edges[block + 1]], np.float64)
        moments[:, block] = np.stack(
            [np.full(len(part), float(part.shape[1])), part.sum(axis=1), (part**2).sum(axis=1)], axis=1
        )
    return moments


def overfitting(moments: NDArray[np.float64]) -> Overfitting:
    """Select the best strategy in every half of the blocks, and rank it in the other half.

    Performance is the Sharpe ratio per period; 0 for constant returns. Performances equal up to rounding, such as those
    of one strategy at two sizes, share their middle rank. A rank exactly in the middle counts half, because selecting
    among equals is not overfitting; noise then gives 0.5 for any number of strategies. Of strategies equal in sample
    the first is selected.

    Args:
        moments: result of `block_moments`, shape (strategies, blocks, 3), with an even number of blocks.

    Raises:
        ValueError: fewer than 2 strategies, fewer than 4 blocks, or an odd number of blocks.
    """
    strategies, blocks, _ = moments.shape
    if strategies < 2 or blocks < 4 or blocks % 2:
        raise ValueError(f"{strategies} strategies in {blocks} blocks: need 2 or more, and an even number of 4 or more")
    chosen = np.array(list(combinations(range(blocks), blocks // 2)))
    halves = np.zeros((len(chosen), blocks), np.bool_)
    np.put_along_axis(halves, chosen, True, axis=1)
    size = max(_AT_ONCE // strategies, 1)
    parts = [_of_halves(moments, halves[start : start + size]) for start in range(0, len(halves), size)]
    ranks, inside, outside = (np.concatenate(column) for column in zip(*parts, strict=True))
    logits = np.log(ranks / (1.0 - ranks))
    pbo = float(np.mean(logits < 0.0) + np.mean(logits == 0.0) / 2)
    spread = float(np.var(inside))
    covariance = float(np.mean((inside - inside.mean()) * (outside - outside.mean())))
    slope = covariance / spread if spread > _SAME**2 else 0.0
    return Overfitting(pbo, logits, slope, float(np.mean(outside < 0.0)))


def _of_halves(moments: NDArray[np.float64], halves: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
    """Return for each half, shape (splits,), the best strategy's relative rank outside and its performances."""
    inside = _performance(moments, halves)
    outside = _performance(moments, ~halves)
    best = np.argmax(inside, axis=1)
    rows = np.arange(len(halves))
    its = outside[rows, best]
    # A matrix product rounds equal columns differently, so equality needs a tolerance.
    tolerance = _SAME * np.maximum(np.abs(its), 1.0)
    below = np.count_nonzero(outside < (its - tolerance)[:, None], axis=1)
    above = np.count_nonzero(outside > (its + tolerance)[:, None], axis=1)
    ranks = 0.5 + (below - above) / (2 * (len(moments) + 1))  # middle rank among equals, over N + 1
    return ranks, inside[rows, best], its


def _performance(moments: NDArray[np.float64], halves: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the Sharpe ratio of every strategy over the blocks of each half, shape (splits, strategies)."""
    weights = halves.astype(np.float64)
    count, total, squares = (weights @ moments[:, :, i].T for i in range(3))
    mean = total / np.maximum(count, 1.0)
    variance = squares - count * mean**2  # times count
    varies = variance > np.maximum(_MIN_VARIANCE, 1e-12 * count * mean**2)
    deviation = np.sqrt(np.where(varies, variance, 1.0) / np.maximum(count - 1.0, 1.0))
    return np.where(varies, mean / deviation, 0.0)
