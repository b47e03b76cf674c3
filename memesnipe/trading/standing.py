"""The standing of each strategy among all: its evidence against the threshold, and its expected profit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.evidence import MAX_LOSS
from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.stats.e_bh import select
from memesnipe.stats.shrinkage import Shrunk, shrink
from memesnipe.stats.trades_needed import trades_needed


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of one strategy."""

    is_proven: bool  # its evidence reaches the threshold of paper trading beyond probation
    is_proven_for_live: bool
    threshold: float  # of the evidence, for paper trading beyond probation
    expected: float  # return of a round trip, from its own record and those of all others
    deviation: float  # standard deviation of that expectation
    trades_needed: float  # round trips until the threshold, at the expected return; NEVER where it is not positive


NEVER: Final = 1e18  # instead of infinity, which JSON lacks
NO_STANDING: Final = Standing(False, False, NEVER, 0.0, 0.0, NEVER)


@dataclass(frozen=True, slots=True)
class Standings:
    """The standings of all strategies, in their order, and the estimates behind them."""

    each: list[Standing]
    shrunk: Shrunk


def standings(
    evidence: Sequence[StrategyEvidence], weights: Sequence[float], paper_alpha: float, live_alpha: float
) -> Standings:
    """Return the standings of strategies.

    Args:
        evidence: of each strategy that is a candidate, whatever its mode.
        weights: the weight of each in the selection, given before its first round trip.
        paper_alpha: bound of the share of false discoveries among strategies beyond probation.
        live_alpha: the same for live trading.
    """
    e_values = _column(evidence, "e_value")
    counts = np.array([one.round_trips for one in evidence], np.int64)
    shrunk = shrink(counts, _column(evidence, "mean"), _column(evidence, "variance"))
    weighed = np.array(weights, np.float64)
    paper, live = (select(e_values, weighed, alpha) for alpha in (paper_alpha, live_alpha))
    needed = trades_needed(e_values, paper.thresholds, shrunk.means, shrunk.variances, MAX_LOSS)
    bounded = (np.minimum(paper.thresholds, NEVER), shrunk.means, shrunk.deviations, np.minimum(needed, NEVER))
    columns = (paper.accepted, live.accepted, *bounded)
    each = [Standing(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return Standings(each, shrunk)


def _column(evidence: Sequence[StrategyEvidence], name: str) -> NDArray[np.float64]:
    return np.array([getattr(one, name) for one in evidence], np.float64)
