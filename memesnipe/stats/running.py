"""Ratios of an equity curve sampled at fixed intervals, computed from running sums."""

import math

from memesnipe.compiled import jitable

SAMPLE_INTERVAL_S = 60
SECONDS_PER_YEAR = 365 * 24 * 3600
PERIODS_PER_YEAR = SECONDS_PER_YEAR / SAMPLE_INTERVAL_S


@jitable
def sharpe_ratio(periods: int, total: float, total_of_squares: float) -> float:
    """Return the annualised Sharpe ratio at a risk-free rate of 0 (Sharpe 1994); 0 for constant returns."""
    if periods < 2:
        return 0.0
    mean = total / periods
    variance = (total_of_squares - periods * mean * mean) / (periods - 1)
    # The variance of equal returns is a rounding error of the sums; dividing by it would give a huge ratio.
    if variance <= max(1e-18, 1e-12 * mean * mean):
        return 0.0
    return mean / math.sqrt(variance) * math.sqrt(PERIODS_PER_YEAR)


@jitable
def shape_of(
    periods: int, total: float, total_of_squares: float, total_of_cubes: float, total_of_fourths: float
) -> tuple[float, float]:
    """Return skewness and kurtosis (3 for a normal) from power sums of returns; 0 and 3 for constant returns."""
    if periods < 2:
        return 0.0, 3.0
    mean = total / periods
    second, third, fourth = total_of_squares / periods, total_of_cubes / periods, total_of_fourths / periods
    variance = second - mean * mean
    if variance <= max(1e-18, 1e-12 * mean * mean):
        return 0.0, 3.0
    square = mean * mean
    skewness = (third - 3.0 * mean * second + 2.0 * mean * square) / (variance * math.sqrt(variance))
    kurtosis = (fourth - 4.0 * mean * third + 6.0 * square * second - 3.0 * square * square) / (variance * variance)
    return skewness, max(kurtosis, skewness * skewness + 1.0)  # the minimum for any sample; rounding may fall below


@jitable
def sortino_ratio(periods: int, total: float, squares_below: float) -> float:
    """Return the annualised Sortino ratio with a target of 0 (Sortino and Price 1994); 0 without losses."""
    if periods < 2 or squares_below <= 1e-18:
        return 0.0
    return total / periods / math.sqrt(squares_below / periods) * math.sqrt(PERIODS_PER_YEAR)


@jitable
def calmar_ratio(total_return: float, observed_s: float, max_drawdown: float) -> float:
    """Return the simple (not compounded) yearly return over the deepest drawdown; 0 without a drawdown."""
    if max_drawdown <= 0.0 or observed_s <= 0.0:
        return 0.0
    return total_return * SECONDS_PER_YEAR / observed_s / max_drawdown
