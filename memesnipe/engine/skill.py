"""The probability of skill of a result that was chosen from many."""

from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.stats.deflated import deflated_sharpe_ratio, expected_maximum_sharpe, null_variance
from memesnipe.stats.running import PERIODS_PER_YEAR, SAMPLE_INTERVAL_S
from memesnipe.stats.sharpe import Sharpe


def deflated_sharpe_of(result: StrategyResult, trials: int) -> float:
    """Return the probability of skill of a result chosen from ``trials`` (Bailey & Lopez de Prado 2014).

    It is that of its one-minute returns; the variance of the trials is that of strategies without any skill, as in
    `memesnipe.evolution.assessment`.
    """
    sharpe = Sharpe(
        ratio=result.sharpe / PERIODS_PER_YEAR**0.5,
        periods=result.periods,
        period_s=SAMPLE_INTERVAL_S,
        skewness=result.skewness,
        kurtosis=result.kurtosis,
    )
    return deflated_sharpe_ratio(sharpe, trials, null_variance(result.periods))


def luckiest_sharpe(periods: int, trials: int) -> float:
    """Return the greatest annualised Sharpe ratio that trials without skill are expected to reach.

    Args:
        periods: number of one-minute returns of each trial.
        trials: number of trials.
    """
    return expected_maximum_sharpe(trials, null_variance(periods)) * PERIODS_PER_YEAR**0.5
