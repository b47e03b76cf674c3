"""The judge: who may be promoted, by what they do where the search has never looked, and by how much was tried.

`docs/statistics.md` says why each bar is where it is.
"""

from dataclasses import dataclass
from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.evolution.evaluation import SAMPLE_S, Evaluation, Record
from memesnipe.stats.deflated import deflated_sharpe_ratio, null_variance
from memesnipe.stats.sharpe import sharpe_of

CONFIDENCE: Final = 0.95
MIN_TRADES: Final = 10  # round trips, for the champion and for the random genomes that it is compared with


@dataclass(frozen=True, slots=True)
class Champion:
    """A strategy that the search puts forward, and what the judge found. Sharpe ratios are annualised."""

    genome: Genome
    train_sharpe: float
    validation_sharpe: float
    holdout_sharpe: float
    holdout_return: float  # ratio of the capital
    holdout_trades: int
    deflated_sharpe: float  # probability
    baseline_sharpe: float  # of what random search would have put forward, in the same segment
    promotable: bool
    reason: str  # why not; "" if it is


def random_baseline(record: Record) -> float:
    """The annualised Sharpe ratio of what random search would have put forward; 0 where that hardly traded.

    Returns would not compare: whoever trades larger sizes has more of them, for the same skill.
    """
    return sharpe_of(record.returns, SAMPLE_S).annualised if record.result.trades >= MIN_TRADES else 0.0


def assess_champion(
    genome: Genome, evaluation: Evaluation, record: Record, trials: int, baseline_sharpe: float, assumptions: str = ""
) -> Champion:
    """Judge one champion.

    Args:
        genome: the champion.
        evaluation: what the search saw of it.
        record: what it did in the segment that the search never saw.
        trials: evaluations ever made on this market.
        baseline_sharpe: of `random_baseline`, in the same segment.
        assumptions: why nothing found on this market may be promoted; "" if it may.
    """
    assert evaluation.train is not None  # noqa: S101 - what could not be run is no champion
    assert evaluation.validation is not None  # noqa: S101
    result = record.result
    sharpe = sharpe_of(record.returns, SAMPLE_S)
    # How far luck carries an estimate when there is no skill at all. The trials themselves scatter for another
    # reason, their costs and skills, which is no measure of luck.
    deflated = deflated_sharpe_ratio(sharpe, trials, null_variance(sharpe.periods))
    reason = assumptions or _reason(result, deflated, trials, sharpe.annualised, baseline_sharpe)
    return Champion(
        genome=genome,
        train_sharpe=evaluation.train.sharpe,
        validation_sharpe=evaluation.validation.sharpe,
        holdout_sharpe=sharpe.annualised,
        holdout_return=result.total_return,
        holdout_trades=result.trades,
        deflated_sharpe=deflated,
        baseline_sharpe=baseline_sharpe,
        promotable=not reason,
        reason=reason,
    )


def _reason(result: StrategyResult, deflated: float, trials: int, sharpe: float, luck: float) -> str:
    if result.trades < MIN_TRADES:
        return f"{result.trades} round trips where the search never looked, {MIN_TRADES} are needed"
    if result.total_return <= 0.0:
        return f"a return of {result.total_return:+.2%} where the search never looked"
    if deflated < CONFIDENCE:
        return f"a deflated Sharpe ratio of {deflated:.3f} after {trials:,} evaluations, {CONFIDENCE} is needed"
    if sharpe <= luck:
        return f"a Sharpe ratio of {sharpe:,.1f}, and the best of random genomes had {luck:,.1f}"
    return ""
