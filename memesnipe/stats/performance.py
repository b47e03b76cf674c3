"""Figures of an equity curve and of round trips, as users of trading systems know them.

Returns are those of equal periods, shape (periods,); ratios are per year of 365 days at a risk-free rate of 0. A figure
that the data do not determine is None: it has no variance, no loss, or too little time.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.stats.running import SECONDS_PER_YEAR
from memesnipe.stats.sharpe import sharpe_of

Floats = NDArray[np.float64]

MIN_YEARLY_S: Final = 86_400.0  # a shorter time is not extrapolated to a year
TOO_SHORT: Final = "n/a: under a day"  # in place of a figure that would be
TAIL: Final = 0.05  # of the periods, for value at risk


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall below an earlier peak, and the longest time below one."""

    depth: float  # of the peak
    longest_periods: int


def sharpe(returns: Floats, period_s: float) -> float | None:
    """Return the Sharpe ratio (Sharpe 1994)."""
    return sharpe_of(returns, period_s).annualised if _varies(returns) else None


def sortino(returns: Floats, period_s: float) -> float | None:
    """Return the Sortino ratio with a target of 0 (Sortino and Price 1994)."""
    if len(returns) < 2 or not (returns < 0).any():
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(returns.mean()) / downside * math.sqrt(SECONDS_PER_YEAR / period_s)


def volatility(returns: Floats, period_s: float) -> float | None:
    """Return the standard deviation of the returns, per year."""
    return float(returns.std(ddof=1)) * math.sqrt(SECONDS_PER_YEAR / period_s) if len(returns) > 1 else None


def growth(total_return: float, elapsed_s: float) -> float | None:
    """Return the compound yearly growth rate (CAGR); None for less than a day, or a total loss."""
    if elapsed_s < MIN_YEARLY_S or total_return <= -1.0:
        return None
    log_rate = math.log1p(total_return) * SECONDS_PER_YEAR / elapsed_s
    return math.expm1(log_rate) if log_rate < 50.0 else None


def drawdown_of(curve: Floats) -> Floats:
    """Return how far each value of an equity curve is below the highest one before it, relative to that."""
    peaks = np.maximum.accumulate(curve)
    return np.where(peaks > 0, 1.0 - curve / np.where(peaks > 0, peaks, 1.0), 0.0)


def drawdown(curve: Floats) -> Drawdown:
    """Return the deepest drawdown of an equity curve, and the most periods in a row below a peak."""
    if not len(curve):
        return Drawdown(0.0, 0)
    below = drawdown_of(curve)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (below > 0).astype(np.int8), [0]))))
    lengths = edges[1::2] - edges[::2]
    return Drawdown(float(below.max()), int(lengths.max(initial=0)))


def value_at_risk(returns: Floats, tail: float = TAIL) -> float | None:
    """Return the return below which a share ``tail`` of the periods is; None for fewer than 20 periods."""
    return float(np.quantile(returns, tail)) if len(returns) >= 1.0 / tail else None


def expected_shortfall(returns: Floats, tail: float = TAIL) -> float | None:
    """Return the mean of the worst share ``tail`` of the returns (conditional value at risk)."""
    if len(returns) < 1.0 / tail:
        return None
    count = int((len(returns) - 1) * tail) + 1
    return float(np.partition(returns, count - 1)[:count].mean())


def win_rate(profits: Floats) -> float | None:
    """Return the share of the round trips with a profit."""
    return float(np.mean(profits > 0)) if len(profits) else None


def profit_factor(profits: Floats) -> float | None:
    """Return the gains over the losses of round trips; None without a loss."""
    lost = -float(profits[profits < 0].sum())
    return float(profits[profits > 0].sum()) / lost if lost > 0 else None


def system_quality(profits: Floats) -> float | None:
    """Return the SQN of round trips: the t-statistic of their mean profit (Tharp 2008)."""
    if not _varies(profits):
        return None
    return float(profits.mean() / profits.std(ddof=1)) * math.sqrt(len(profits))


def exposure(spans: NDArray[np.int64], start: int, end: int) -> float | None:
    """Return the share of the time from ``start`` to ``end`` that is in at least one of ``spans``, shape (spans, 2)."""
    if end <= start:
        return None
    covered, until = 0, start
    for opened, closed in sorted(np.clip(spans, start, end).tolist()):
        covered += max(closed - max(opened, until), 0)
        until = max(until, closed)
    return covered / (end - start)


def _varies(values: Floats) -> bool:
    return len(values) > 1 and float(values.std()) > 1e-9 * max(abs(float(values.mean())), 1e-9)
