"""The Sharpe ratio of a series of returns, and its standard error."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.stats.running import SECONDS_PER_YEAR

_MIN_VARIANCE: Final = 1e-18
_MIN_SPREAD: Final = 1e-6  # floor of the variance of a ratio, times its periods; see `standard_error`


@dataclass(frozen=True, slots=True)
class Sharpe:
    """A Sharpe ratio per period, with the shape of the distribution of the returns."""

    ratio: float
    periods: int
    period_s: float
    skewness: float
    kurtosis: float  # not excess: 3 for a normal distribution

    @property
    def annualised(self) -> float:
        """The ratio per year of 365 days, assuming independent periods."""
        return self.ratio * math.sqrt(SECONDS_PER_YEAR / self.period_s)


def sharpe_of(returns: NDArray[np.floating[Any]], period_s: float) -> Sharpe:
    """Return the Sharpe ratio of returns, shape (periods,), at a risk-free rate of 0 (Sharpe 1994).

    For constant or fewer than 2 returns the ratio is 0 and the shape that of a normal distribution.
    """
    values = np.asarray(returns, np.float64)
    periods = len(values)
    if periods < 2:
        return Sharpe(0.0, periods, period_s, 0.0, 3.0)
    mean = float(values.mean())
    centred = values - mean
    variance = float(np.mean(centred**2))
    # The variance of equal returns is a rounding error; dividing by it would give a huge ratio.
    if variance <= max(_MIN_VARIANCE, 1e-12 * mean * mean):
        return Sharpe(0.0, periods, period_s, 0.0, 3.0)
    ratio = mean / math.sqrt(variance * periods / (periods - 1))
    skewness = float(np.mean(centred**3)) / variance**1.5
    return Sharpe(ratio, periods, period_s, skewness, float(np.mean(centred**4)) / variance**2)


def standard_error(sharpe: Sharpe) -> float:
    """Return the standard error of a Sharpe ratio per period (Mertens 2002; Bailey & Lopez de Prado 2012, eq. 8).

    Returns:
        The standard error; infinity for fewer than 2 periods. For the moments of a sample the term under the root is at
        least (1 - skewness * ratio / 2)**2, because the kurtosis is at least skewness**2 + 1. It is 0 for returns with
        only two values, and negative for moments that are not of one sample; the expansion does not apply there, and a
        floor keeps the error positive.
    """
    if sharpe.periods < 2:
        return math.inf
    ratio = sharpe.ratio
    spread = 1.0 - sharpe.skewness * ratio + (sharpe.kurtosis - 1.0) / 4.0 * ratio * ratio
    return math.sqrt(max(spread, _MIN_SPREAD) / (sharpe.periods - 1))
