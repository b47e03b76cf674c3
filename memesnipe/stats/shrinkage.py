"""The expected profit of each of many strategies, from its own round trips and those of all others.

The mean of a few round trips is mostly luck, and the best of many means is the luckiest. So every mean is moved towards
the centre of all strategies, the more the less its own record says: empirical Bayes (Morris 1983).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DEFAULT_VARIANCE: Final = 1.0  # of one round trip's return, where nothing is known: a deviation of the whole stake
_DEFAULT_WEIGHT: Final = 1.0  # degrees of freedom with which it enters the pooled variance
_POOLED_WEIGHT: Final = 10.0  # degrees of freedom with which the pooled variance enters each strategy's
_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Expectations of one round trip's return; arrays of shape (strategies,)."""

    means: NDArray[np.float64]  # expected return
    deviations: NDArray[np.float64]  # standard deviation of that expectation
    variances: NDArray[np.float64]  # of one round trip's return
    centre: float  # expectation for a strategy without any round trip
    between_variance: float  # of the true means of strategies


def pooled_variances(counts: NDArray[np.int64], variances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of one round trip of each strategy, moved towards the variance within all (Smyth 2004).

    Args:
        counts: round trips of each strategy, shape (strategies,).
        variances: sample variance of their returns, shape (strategies,); ignored with fewer than two.
    """
    freedom = np.maximum(counts - 1, 0).astype(np.float64)
    own = np.where(freedom > 0.0, freedom * variances, 0.0)
    common = (own.sum() + _DEFAULT_WEIGHT * DEFAULT_VARIANCE) / (freedom.sum() + _DEFAULT_WEIGHT)
    pooled: NDArray[np.float64] = (own + _POOLED_WEIGHT * common) / (freedom + _POOLED_WEIGHT)
    return pooled


def shrink(counts: NDArray[np.int64], means: NDArray[np.float64], variances: NDArray[np.float64]) -> Shrunk:
    """Return the expectations of all strategies; those not promoted must be among them, or luck is not corrected.

    With s^2 = variance / count, tau^2 the variance between true means and B = tau^2 / (tau^2 + s^2), the expectation is
    m + B (mean - m), and its variance tau^2 (1 - B) + (1 - B)^2 / sum(1 / (tau^2 + s^2)); the second term is that of
    the centre m. tau^2 is the estimate of Paule & Mandel (1982), which accounts for unequal counts.

    Args:
        counts: round trips of each strategy, shape (strategies,); 0 is allowed.
        means: their mean return, ignored without a round trip.
        variances: their sample variance, ignored with fewer than two round trips.

    Raises:
        ValueError: the shapes differ, or a count or a variance is negative.
    """
    if not counts.shape == means.shape == variances.shape or counts.ndim != 1:
        raise ValueError(f"shapes {counts.shape}, {means.shape} and {variances.shape}: need one value per strategy")
    if len(counts) and (counts.min() < 0 or variances.min() < 0.0):
        raise ValueError("a number of round trips or a variance is negative")
    pooled = pooled_variances(counts, variances)
    traded = counts > 0
    if not traded.any():
        zeros = np.zeros(len(counts))
        return Shrunk(zeros, np.sqrt(pooled), pooled, 0.0, 0.0)
    errors, observed = pooled[traded] / counts[traded], means[traded]
    between = _between_variance(observed, errors)
    precisions = 1.0 / (between + errors)
    centre = float(np.average(observed, weights=precisions))
    own_share = np.zeros(len(counts))
    own_share[traded] = between / (between + errors)
    expected = centre + own_share * (np.where(traded, means, centre) - centre)
    spread = between * (1.0 - own_share) + (1.0 - own_share) ** 2 / precisions.sum()
    return Shrunk(expected, np.sqrt(spread), pooled, centre, between)


def _between_variance(means: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """Return the variance of true means that explains the deviations of the observed ones; 0 if luck explains them.

    Args:
        means: observed, shape (strategies,).
        errors: their squared standard errors, shape (strategies,), positive.
    """

    def excess(between: float) -> float:
        precisions = 1.0 / (between + errors)
        centre = np.average(means, weights=precisions)
        return float((precisions * (means - centre) ** 2).sum()) - (len(means) - 1)

    if len(means) < 2 or excess(0.0) <= 0.0:
        return 0.0
    # The excess decreases, and is negative at the sample variance of the means.
    low, high = 0.0, float(np.var(means, ddof=1))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return low
