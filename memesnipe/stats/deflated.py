"""The confidence in a Sharpe ratio, with a correction for the number of trials it was selected from."""

import math
from statistics import NormalDist
from typing import Final

from memesnipe.stats.sharpe import Sharpe, standard_error

_NORMAL: Final = NormalDist()
_EULER_MASCHERONI: Final = 0.5772156649015329


def probabilistic_sharpe_ratio(sharpe: Sharpe, benchmark: float) -> float:
    """Return the probability that the true ratio per period exceeds ``benchmark`` (Bailey & Lopez de Prado 2012).

    It is 0 with fewer than 2 periods.
    """
    if sharpe.periods < 2:
        return 0.0
    return _NORMAL.cdf((sharpe.ratio - benchmark) / standard_error(sharpe))


def expected_maximum_sharpe(trials: int, variance: float) -> float:
    """Return the expected maximum Sharpe ratio of trials without skill: the False Strategy Theorem.

    Bailey & Lopez de Prado 2014, eq. 1, with a mean of 0. It is an approximation for many trials: 8% too low for 2, up
    to 3% too high for 5 to 50, which is conservative, and within 1% from 100 on.

    Args:
        trials: number of independent trials.
        variance: variance of their estimated Sharpe ratios; the result is for the same period.

    Raises:
        ValueError: the variance is negative.
    """
    if variance < 0.0:
        raise ValueError(f"the variance is {variance}: must not be negative")
    if trials <= 1:
        return 0.0
    # The quantile of 1 - 1/N by symmetry from that of 1/N, which is precise for large N.
    last = -_NORMAL.inv_cdf(1.0 / trials)
    beyond = -_NORMAL.inv_cdf(1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - _EULER_MASCHERONI) * last + _EULER_MASCHERONI * beyond)


def deflated_sharpe_ratio(sharpe: Sharpe, trials: int, variance: float) -> float:
    """Return the probability of skill of the best of many trials (Bailey & Lopez de Prado 2014).

    Args:
        sharpe: ratio of the selected strategy.
        trials: number of trials it was selected from.
        variance: variance of the trials' ratios per period; `null_variance` under the hypothesis of no skill.
    """
    return probabilistic_sharpe_ratio(sharpe, expected_maximum_sharpe(trials, variance))


def null_variance(periods: int) -> float:
    """Return the variance of the estimated ratio per period of a strategy without skill (Lo 2002, at a ratio of 0).

    It is 0 for fewer than 2 periods, for which `sharpe_of` returns a ratio of 0 and the probability of skill is 0.
    """
    return 1.0 / (periods - 1) if periods > 1 else 0.0


def minimum_track_record(sharpe: Sharpe, benchmark: float, confidence: float) -> float:
    """Return the periods after which such a ratio exceeds ``benchmark`` with ``confidence`` (MinTRL).

    Bailey & Lopez de Prado 2012, on the minimum track record length.

    Returns:
        A number of periods, not rounded; infinity if the ratio is not above the benchmark.

    Raises:
        ValueError: the confidence is outside [0.5, 1); a lower one would hold already for the estimate itself.
    """
    if not 0.5 <= confidence < 1.0:
        raise ValueError(f"the confidence is {confidence}: must be at least 0.5 and below 1")
    if sharpe.ratio <= benchmark or sharpe.periods < 2:
        return math.inf
    one_period = standard_error(sharpe) * math.sqrt(sharpe.periods - 1)
    return 1.0 + (one_period * _NORMAL.inv_cdf(confidence) / (sharpe.ratio - benchmark)) ** 2
