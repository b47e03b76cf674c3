"""Fitness: one number per genome, which weighs the later segment as much as the earlier one."""

from math import sqrt
from typing import Any, Final

from memesnipe.engine.strategy_result import StrategyResult

MIN_TRADES: Final = 3  # of both segments together
HALF_TRUSTED_TRADES: Final = 8  # round trips in a segment at which a gain has half its weight
MIN_VOLATILITY: Final = 0.02  # added to a segment's, so that a few lucky minutes do not divide by nearly 0
SIGNAL_PENALTY: Final = 0.02  # per signal beyond the first, to prefer the simpler of equal genomes
NO_TRADES: Final = -100.0
WORST: Final = -1e9  # of failed evaluations; finite, because JSON has no infinity


def fitness_of(
    train: StrategyResult, validation: StrategyResult, train_moments: Any, validation_moments: Any, signals: int
) -> float:
    """Return the fitness of a genome from its results and the moments of its returns.

    - The score of a segment is its return, after costs and failed landings, over its realised volatility: about the
      t-statistic of the mean return. The weight of a gain grows with the number of round trips.
    - The lower score of the two segments counts.
    - The deepest drawdown is subtracted, and `SIGNAL_PENALTY` for each signal beyond the first.
    - With fewer than `MIN_TRADES` round trips the fitness is below that of any loss, and the lower the fewer.

    Args:
        train: result in the earlier segment.
        validation: result in the later segment.
        train_moments: count, sum and sum of squares of the earlier segment's returns, shape (blocks, 3).
        validation_moments: the same for the later segment.
        signals: number of signals of the genome.
    """
    missing = MIN_TRADES - train.trades - validation.trades
    if missing > 0:
        return NO_TRADES - missing
    worst = min(score_of(train, train_moments), score_of(validation, validation_moments))
    return worst - max(train.max_drawdown, validation.max_drawdown) - SIGNAL_PENALTY * (signals - 1)


def score_of(result: StrategyResult, moments: Any) -> float:
    """Return the score of one segment; ``moments`` are those of its returns, as for `fitness_of`."""
    volatility = sqrt(float(moments[:, 2].sum()))
    score = result.total_return / (volatility + MIN_VOLATILITY)
    return score * result.trades / (result.trades + HALF_TRUSTED_TRADES) if score > 0.0 else score
