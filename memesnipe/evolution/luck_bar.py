"""The luck bar of a generation: what a genome must beat before it is more than the luckiest of many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from memesnipe.engine.skill import luckiest_sharpe
from memesnipe.evolution.evaluation import Evaluation

MAX_FOR_PBO: Final = 32  # at most so many genomes of a generation enter the probability of overfitting, evenly spaced


@dataclass(frozen=True, slots=True)
class LuckBar:
    """The bar, and how near the generation came to it. Sharpe ratios are those of the validation, annualised."""

    trials: int  # evaluations of the run up to here
    best_sharpe: float | None  # of the genome with the most probable skill; None where no genome traded
    luck_sharpe: float | None  # the greatest that so many trials without any skill are expected to reach
    best_skill: float | None  # probability of skill of that genome: its deflated Sharpe ratio
    needed_skill: float  # of a proposal


def luck_bar(evaluations: Sequence[Evaluation], skills: Sequence[float], trials: int, needed_skill: float) -> LuckBar:
    """Return the bar of a generation.

    Args:
        evaluations: of its genomes.
        skills: the probability of skill of each.
        trials: number of all evaluations of the run, including these.
        needed_skill: the least of a proposal.
    """
    traded = [
        (skill, found.validation)
        for skill, found in zip(skills, evaluations, strict=True)
        if found.validation is not None and found.validation.trades
    ]
    if not traded:
        return LuckBar(trials, None, None, None, needed_skill)
    skill, best = max(traded, key=lambda pair: pair[0])
    return LuckBar(trials, best.sharpe, luckiest_sharpe(best.periods, trials), skill, needed_skill)
