"""Ratios of an equity curve that is sampled at fixed intervals, from sums that take constant memory."""

import math

from memesnipe.compiled import jitable

SAMPLE_INTERVAL_S = 60
SECONDS_PER_YEAR = 365 * 24 * 3600
PERIODS_PER_YEAR = SECONDS_PER_YEAR / SAMPLE_INTERVAL_S


@jitable
def sharpe_ratio(periods: int, total: float, total_of_squares: float) -> float:
    """Annualised Sharpe ratio at a riskless rate of 0 (Sharpe 1994); 0 when returns do not vary."""
    if periods < 2:
        return 0.0
    mean = total / periods
    variance = (total_of_squares - periods * mean * mean) / (periods - 1)
    # What is left of equal returns is the rounding of the sums, and it would divide into billions.
    if variance <= max(1e-18, 1e-12 * mean * mean):
        return 0.0
    return mean / math.sqrt(variance) * math.sqrt(PERIODS_PER_YEAR)


@jitable
def shape_of(
    periods: int, total: float, total_of_squares: float, total_of_cubes: float, total_of_fourths: float
) -> tuple[float, float]:
    """Skewness and kurtosis (3 for a normal) of returns, from the sums of their powers; a normal's where none vary."""
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
    return skewness, max(kurtosis, skewness * skewness + 1.0)  # as of any one sample; rounding may fall below


@jitable
def sortino_ratio(periods: int, total: float, squares_below: float) -> float:
    """Annualised Sortino ratio with a target of 0 (Sortino and Price 1994); 0 when no return is below it."""
    if periods < 2 or squares_below <= 1e-18:
        return 0.0
    return total / periods / math.sqrt(squares_below / periods) * math.sqrt(PERIODS_PER_YEAR)


@jitable
def calmar_ratio(total_return: float, observed_s: float, max_drawdown: float) -> float:
    """Return a year, simple and not compounded, over the deepest drawdown; 0 without a drawdown."""
    if max_drawdown <= 0.0 or observed_s <= 0.0:
        return 0.0
    return total_return * SECONDS_PER_YEAR / observed_s / max_drawdown
