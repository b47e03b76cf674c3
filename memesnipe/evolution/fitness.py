"""Fitness: one number for how a genome did, in which what came later counts as much as what came first."""

from math import sqrt
from typing import Any, Final

from memesnipe.engine.strategy_result import StrategyResult

MIN_TRADES: Final = 3  # in all
HALF_TRUSTED_TRADES: Final = 8  # round trips in a segment that earn half of the merit
MIN_VOLATILITY: Final = 0.02  # of a segment; without it one lucky minute would divide by nearly nothing
SIGNAL_PRICE: Final = 0.02  # of each signal beyond the first: of two that do as well, the simpler one
NO_TRADES: Final = -100.0
WORST: Final = -1e9  # of what could not be run; a number, because no JSON holds minus infinity


def fitness_of(
    train: StrategyResult, validation: StrategyResult, train_moments: Any, validation_moments: Any, signals: int
) -> float:
    """The fitness of a genome of so many signals, from its results and the moments of its returns.

    - The merit of a segment is its return, costs and failed landings included, over its realised volatility: about
      the t-statistic of its mean return. A gain counts for more the more round trips it rests on.
    - The worse of the two segments counts: what only worked early, or only late, is worth no more than elsewhere.
    - The deepest drawdown is taken off, and a little for each signal beyond the first.
    - Fewer than `MIN_TRADES` round trips in all cannot win: that is worse than any loss, and the fewer the worse.

    Args:
        train: result in the earlier segment.
        validation: result in the later one.
        train_moments: (blocks, 3) of its returns: count, sum, sum of squares.
        validation_moments: the same of the later segment.
        signals: of the genome.
    """
    missing = MIN_TRADES - train.trades - validation.trades
    if missing > 0:
        return NO_TRADES - missing
    worst = min(_score(train, train_moments), _score(validation, validation_moments))
    return worst - max(train.max_drawdown, validation.max_drawdown) - SIGNAL_PRICE * (signals - 1)


def _score(result: StrategyResult, moments: Any) -> float:
    volatility = sqrt(float(moments[:, 2].sum()))
    score = result.total_return / (volatility + MIN_VOLATILITY)
    return score * result.trades / (result.trades + HALF_TRUSTED_TRADES) if score > 0.0 else score
