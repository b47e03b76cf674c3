"""The Sharpe ratio of a series of returns, with its period and with what it takes to know how sure it is."""

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
    """A Sharpe ratio per period, and the shape of the returns that it comes from."""

    ratio: float
    periods: int
    period_s: float
    skewness: float
    kurtosis: float  # plain: 3 for a normal distribution

    @property
    def annualised(self) -> float:
        """The ratio of a year of 365 days, if periods were independent."""
        return self.ratio * math.sqrt(SECONDS_PER_YEAR / self.period_s)


def sharpe_of(returns: NDArray[np.floating[Any]], period_s: float) -> Sharpe:
    """The Sharpe ratio of returns, shape (periods,), at a riskless rate of 0 (Sharpe 1994).

    Where returns do not vary, or there are fewer than 2, the ratio is 0 and the shape that of a normal.
    """
    values = np.asarray(returns, np.float64)
    periods = len(values)
    if periods < 2:
        return Sharpe(0.0, periods, period_s, 0.0, 3.0)
    mean = float(values.mean())
    centred = values - mean
    variance = float(np.mean(centred**2))
    # What is left of equal returns is rounding, and it would divide into billions.
    if variance <= max(_MIN_VARIANCE, 1e-12 * mean * mean):
        return Sharpe(0.0, periods, period_s, 0.0, 3.0)
    ratio = mean / math.sqrt(variance * periods / (periods - 1))
    skewness = float(np.mean(centred**3)) / variance**1.5
    return Sharpe(ratio, periods, period_s, skewness, float(np.mean(centred**4)) / variance**2)


def standard_error(sharpe: Sharpe) -> float:
    """How far an estimate of so many periods scatters (Mertens 2002; Bailey & Lopez de Prado 2012, eq. 8).

    Returns:
        The standard error of the ratio per period; infinity for fewer than 2 periods. The term under the root is
        (1 - skewness * ratio / 2)**2 or more for the moments of any one sample, because its kurtosis is at least
        skewness**2 + 1. It gets to 0 where returns take two values only, and below it where the moments are not of
        one sample; there the expansion says nothing, and a floor keeps the error above 0.
    """
    if sharpe.periods < 2:
        return math.inf
    ratio = sharpe.ratio
    spread = 1.0 - sharpe.skewness * ratio + (sharpe.kurtosis - 1.0) / 4.0 * ratio * ratio
    return math.sqrt(max(spread, _MIN_SPREAD) / (sharpe.periods - 1))
