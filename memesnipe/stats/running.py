"""Statistics of an equity curve that is sampled at fixed intervals, kept in constant memory."""

import math
from dataclasses import dataclass

SAMPLE_INTERVAL_S = 60
PERIODS_PER_YEAR = 365 * 24 * 3600 / SAMPLE_INTERVAL_S


@dataclass(slots=True)
class RunningReturns:
    """Sums over the returns of each sampling interval, and the deepest fall from a peak."""

    periods: int = 0
    total: float = 0.0
    total_of_squares: float = 0.0
    equity: float = 0.0
    peak: float = 0.0
    max_drawdown: float = 0.0

    def sample(self, equity: float, periods: int = 1) -> None:
        """Take the equity at the end of ``periods`` intervals; all but the last of them had a return of 0."""
        if self.equity > 0:
            change = equity / self.equity - 1.0
            self.periods += periods
            self.total += change
            self.total_of_squares += change * change
        self.equity = equity
        self.peak = max(self.peak, equity)
        if self.peak > 0:
            self.max_drawdown = max(self.max_drawdown, 1.0 - equity / self.peak)

    @property
    def sharpe(self) -> float:
        """Annualised Sharpe ratio at a riskless rate of 0 (Sharpe 1994); 0 when returns do not vary."""
        if self.periods < 2:
            return 0.0
        mean = self.total / self.periods
        variance = (self.total_of_squares - self.periods * mean * mean) / (self.periods - 1)
        # What is left of equal returns is the rounding of the sums, and it would divide into billions.
        if variance <= max(1e-18, 1e-12 * mean * mean):
            return 0.0
        return mean / math.sqrt(variance) * math.sqrt(PERIODS_PER_YEAR)
