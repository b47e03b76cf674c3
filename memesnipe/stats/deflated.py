"""How sure a Sharpe ratio is, and what is left of it when one counts how often luck had a chance."""

import math
from statistics import NormalDist
from typing import Final

from memesnipe.stats.sharpe import Sharpe, standard_error

_NORMAL: Final = NormalDist()
_EULER_MASCHERONI: Final = 0.5772156649015329


def probabilistic_sharpe_ratio(sharpe: Sharpe, benchmark: float) -> float:
    """The probability that the true ratio is above ``benchmark``, per period (Bailey & Lopez de Prado 2012).

    0 with fewer than 2 periods: what has not been observed has shown nothing.
    """
    if sharpe.periods < 2:
        return 0.0
    return _NORMAL.cdf((sharpe.ratio - benchmark) / standard_error(sharpe))


def expected_maximum_sharpe(trials: int, variance: float) -> float:
    """What the best of so many trials without any skill may be expected to show: the False Strategy Theorem.

    Bailey & Lopez de Prado 2014, eq. 1, with a mean of 0. It holds for many trials: of 2 it is 8% too low, of 5
    to 50 up to 3% too high, which errs on the careful side, and from 100 on within 1%.

    Args:
        trials: independent ones, each with an estimate of its Sharpe ratio.
        variance: of those estimates; the result has the period of their ratios.

    Raises:
        ValueError: the variance is below 0.
    """
    if variance < 0.0:
        raise ValueError(f"a variance cannot be {variance}")
    if trials <= 1:
        return 0.0
    # The upper quantile of 1 - 1/N by its mirror image, which keeps its digits where N is huge.
    last = -_NORMAL.inv_cdf(1.0 / trials)
    beyond = -_NORMAL.inv_cdf(1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - _EULER_MASCHERONI) * last + _EULER_MASCHERONI * beyond)


def deflated_sharpe_ratio(sharpe: Sharpe, trials: int, variance: float) -> float:
    """The probability that there is skill after all, given the best of so many trials (Bailey & Lopez de Prado 2014).

    Args:
        sharpe: of the strategy that was chosen.
        trials: how many it was chosen from.
        variance: of the trials' ratios per period; `null_variance` where none of them need have skill.
    """
    return probabilistic_sharpe_ratio(sharpe, expected_maximum_sharpe(trials, variance))


def null_variance(periods: int) -> float:
    """The variance of the estimated ratio per period of a strategy without any skill (Lo 2002, at a ratio of 0).

    0 for fewer than 2 periods, where `sharpe_of` gives a ratio of 0 and the probability of skill is 0 anyway.
    """
    return 1.0 / (periods - 1) if periods > 1 else 0.0


def minimum_track_record(sharpe: Sharpe, benchmark: float, confidence: float) -> float:
    """The periods it takes until a ratio like this is above ``benchmark`` with ``confidence`` (MinTRL).

    Bailey & Lopez de Prado 2012, on the minimum track record length.

    Returns:
        Periods, a fraction among them; infinity where the ratio is not above the benchmark.

    Raises:
        ValueError: a confidence outside of 0.5 to 1; below, one would ask for less than the ratio itself says.
    """
    if not 0.5 <= confidence < 1.0:
        raise ValueError(f"a confidence of {confidence}: need 0.5 or more, and less than 1")
    if sharpe.ratio <= benchmark or sharpe.periods < 2:
        return math.inf
    one_period = standard_error(sharpe) * math.sqrt(sharpe.periods - 1)
    return 1.0 + (one_period * _NORMAL.inv_cdf(confidence) / (sharpe.ratio - benchmark)) ** 2
