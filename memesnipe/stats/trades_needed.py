"""How many more round trips a strategy needs until its evidence reaches a threshold."""

import numpy as np
from numpy.typing import NDArray

from memesnipe.stats.betting import BET_SIZES


def trades_needed(
    e_values: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
    max_loss: float,
) -> NDArray[np.float64]:
    """Return the expected number of further round trips at the present mean and variance, shape (strategies,).

    The logarithm of an account that stakes a share f of its equity grows by f mean - f^2 (variance + mean^2) / 2 per
    round trip, to the second order; the best of the bet sizes counts. For small means this is 2 ln(threshold / E) /
    (mean^2 / variance). It is a plan, not a bound: half of the strategies need longer.

    Args:
        e_values: present evidence, shape (strategies,).
        thresholds: the evidence needed, shape (strategies,).
        means: mean return of a round trip, for example after shrinkage.
        variances: variance of a round trip's return.
        max_loss: the bound of a loss that the accounts use.

    Returns:
        Not rounded: 0 where the threshold is reached, infinity where the mean is not positive or there is no evidence
        left.
    """
    stakes = np.array(BET_SIZES) / max_loss
    growth = np.outer(means, stakes) - np.outer(variances + means**2, stakes**2) / 2
    best = growth.max(axis=1, initial=0.0)
    with np.errstate(divide="ignore"):
        distance = np.log(thresholds) - np.log(e_values)
    needed = np.divide(distance, best, out=np.full(len(best), np.inf), where=best > 0.0)
    return np.where(e_values >= thresholds, 0.0, needed)
