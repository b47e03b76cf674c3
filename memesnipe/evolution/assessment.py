"""Assessment of champions: whether they may be promoted, from the holdout and the number of genomes tried on it.

`docs/statistics.md` justifies each threshold.
"""

from dataclasses import dataclass
from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.evolution.evaluation import SAMPLE_S, Evaluation, Record
from memesnipe.number_text import signed
from memesnipe.stats.deflated import deflated_sharpe_ratio, null_variance
from memesnipe.stats.sharpe import sharpe_of

CONFIDENCE: Final = 0.95
MIN_TRADES: Final = 10  # round trips in the holdout, of the champion and of the random baseline


@dataclass(frozen=True, slots=True)
class Champion:
    """A strategy proposed by the search, and its assessment. Sharpe ratios are annualised."""

    genome: Genome
    train_sharpe: float
    validation_sharpe: float
    holdout_sharpe: float
    holdout_return: float  # ratio of the capital
    holdout_trades: int
    deflated_sharpe: float  # probability
    baseline_sharpe: float  # of the random baseline in the holdout
    promotable: bool
    reason: str  # why not; "" if it is


def random_baseline(record: Record) -> float:
    """Return the annualised holdout Sharpe ratio of the best random genome; 0 if it traded too little.

    Returns are not comparable: larger position sizes give larger returns for the same skill.
    """
    return sharpe_of(record.returns, SAMPLE_S).annualised if record.result.trades >= MIN_TRADES else 0.0


def assess_champion(
    genome: Genome, evaluation: Evaluation, record: Record, trials: int, baseline_sharpe: float, assumptions: str = ""
) -> Champion:
    """Assess one champion.

    Args:
        genome: the champion.
        evaluation: its evaluation by the search.
        record: its result in the holdout, which the search never used.
        trials: number of genomes ever tested on the holdout of this market. The evaluations of the search do not count:
            they did not use the holdout, so its result is not the best of them.
        baseline_sharpe: `random_baseline` in the holdout.
        assumptions: the reason why no champion of this market may be promoted, or "".
    """
    assert evaluation.train is not None  # noqa: S101 - failed evaluations are never champions
    assert evaluation.validation is not None  # noqa: S101
    result = record.result
    sharpe = sharpe_of(record.returns, SAMPLE_S)
    # The variance of the estimate without skill. The variance across trials would not measure luck, because it
    # includes differences in costs and skill.
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


def _reason(result: StrategyResult, deflated: float, trials: int, sharpe: float, baseline: float) -> str:
    if result.trades < MIN_TRADES:
        return f"{result.trades} round trips in the holdout, at least {MIN_TRADES} are required"
    if result.total_return <= 0.0:
        return f"a return of {signed(result.total_return, '.2%')} in the holdout"
    if deflated < CONFIDENCE:
        return f"a deflated Sharpe ratio of {deflated:.3f} after {trials:,} tests on the holdout, below {CONFIDENCE}"
    if sharpe <= baseline:
        return f"a Sharpe ratio of {sharpe:,.1f}, not above {baseline:,.1f} of the best random genome"
    return ""
