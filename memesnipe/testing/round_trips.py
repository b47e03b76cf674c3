"""Simulated round trips of many strategies, with a known mean: the input of simulations of the evidence."""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memesnipe.stats.trade_log import TradeLog

LOG_DEVIATION: Final = 0.696  # of 1 + return: a return's deviation is then 0.79, its skewness 2.9
DEVIATION: Final = math.sqrt(math.expm1(LOG_DEVIATION**2))
LOSS_RATE: Final = 0.05  # of the strategies that rarely lose


def mean_of_ratio(ratio: ArrayLike) -> NDArray[np.float64]:
    """Return the mean with which `skewed_returns` have a given ratio of mean to deviation."""
    scaled = DEVIATION * np.asarray(ratio, np.float64)
    mean: NDArray[np.float64] = scaled / (1.0 - scaled)
    return mean


def skewed_returns(
    rng: np.random.Generator, means: NDArray[np.float64], markets: int, common: float = 0.0
) -> NDArray[np.float64]:
    """Return one return of each strategy: many losses and a few large gains, a log-normal above -1.

    Args:
        rng: random generator.
        means: expected return of each strategy, shape (strategies,).
        markets: the strategies are divided among so many markets, in order.
        common: share of the variance that the strategies of one market have in common.
    """
    of_market = np.repeat(rng.standard_normal(markets), len(means) // markets)
    own = rng.standard_normal(len(means))
    score = math.sqrt(common) * of_market + math.sqrt(1.0 - common) * own
    growth: NDArray[np.float64] = np.exp(LOG_DEVIATION * score - LOG_DEVIATION**2 / 2)
    return (1.0 + means) * growth - 1.0


def rare_losses(rng: np.random.Generator, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one return of each strategy: small gains, and in one of 20 cases a loss of the whole stake."""
    gain = (means + LOSS_RATE) / (1.0 - LOSS_RATE)
    return np.where(rng.random(len(means)) < LOSS_RATE, -1.0, gain)


@dataclass(slots=True)
class OpenPositions:
    """Positions of strategies that open one in each step and keep losers longer than winners."""

    losers_kept: int = 1  # steps; winners are closed after one
    step: int = 0
    _due: dict[int, list[TradeLog]] = field(default_factory=dict)

    def advance(self, returns: NDArray[np.float64]) -> TradeLog:
        """Close what is due, and open a position of each strategy; ``returns`` are those of the new positions."""
        self.step += 1
        rows = np.arange(len(returns))
        tokens = np.full(len(rows), self.step)
        is_loser = returns < 0.0
        for chosen, kept in ((is_loser, self.losers_kept), (~is_loser, 1)):
            closings = TradeLog(rows[chosen], tokens[chosen], np.zeros(chosen.sum(), np.bool_), returns[chosen])
            self._due.setdefault(self.step + kept, []).append(closings)
        opened = TradeLog(rows, tokens, np.ones(len(rows), np.bool_), returns)
        return joined([*self._due.pop(self.step, []), opened])

    def close_all(self) -> TradeLog:
        """Close the open positions, of which there must be some."""
        logs = [log for step in sorted(self._due) for log in self._due.pop(step)]
        return joined(logs)


def joined(logs: list[TradeLog]) -> TradeLog:
    """Return one log with the entries of several, in order."""
    return TradeLog(
        np.concatenate([log.rows for log in logs]),
        np.concatenate([log.tokens for log in logs]),
        np.concatenate([log.is_opening for log in logs]),
        np.concatenate([log.returns for log in logs]),
    )
