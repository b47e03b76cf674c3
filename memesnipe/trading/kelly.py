"""The stake of a strategy's trades as a share of the capital: half Kelly on a lower bound of the expected profit.

A capital that stakes the share mean / (variance + mean^2) on every trade grows fastest (Kelly 1956, to the second
order). The mean is an estimate; a smaller share is better out of sample (Baker & McHale 2013, Optimal betting under
parameter uncertainty), and half the share has three quarters of the growth at half the deviation.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memesnipe.stats.shrinkage import Shrunk

KELLY_SHARE: Final = 0.5


def kelly_shares(expected: Shrunk) -> NDArray[np.float64]:
    """Return the stake of one trade of each strategy as a share of the capital, shape (strategies,).

    It is 0 unless the expectation exceeds its own standard deviation.
    """
    bound = np.maximum(expected.means - expected.deviations, 0.0)
    shares: NDArray[np.float64] = KELLY_SHARE * bound / (expected.variances + expected.means**2)
    return shares


def cap_shares(
    shares: NDArray[np.float64],
    caps: ArrayLike,
    total_cap: float,
) -> NDArray[np.float64]:
    """Return shares within all caps, shape (strategies,). What a cap removes is not given to others: it stays in cash.

    Args:
        shares: not negative, shape (strategies,).
        caps: largest share of each strategy, or of all alike; for example what its pools can bear.
        total_cap: largest sum of all shares.
    """
    capped = np.minimum(shares, caps)
    total = float(capped.sum())
    return capped * (total_cap / total) if total > total_cap else capped
