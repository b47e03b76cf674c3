"""The standing of each strategy among all: its evidence against the threshold, and its expected profit."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.evidence import MAX_LOSS
from memesnipe.protocol.messages import ArenaStandings
from memesnipe.stats.e_bh import select
from memesnipe.stats.shrinkage import Shrunk, shrink
from memesnipe.stats.trades_needed import trades_needed


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of one strategy."""

    is_proven: bool  # its evidence reaches the threshold of paper trading beyond probation
    is_proven_for_live: bool
    threshold: float  # of the evidence, for paper trading beyond probation
    live_threshold: float  # the same for live trading
    expected: float  # return of a round trip, from its own record and those of all others
    deviation: float  # standard deviation of that expectation
    trades_needed: float  # round trips until the threshold, at the expected return; NEVER where it is not positive


NEVER: Final = 1e18  # instead of infinity, which JSON lacks
NO_STANDING: Final = Standing(False, False, NEVER, NEVER, 0.0, 0.0, NEVER)


@dataclass(frozen=True, slots=True)
class Standings:
    """The standings of all strategies as columns of shape (strategies,), and the estimates behind them."""

    columns: dict[str, NDArray[Any]]  # by the names of the fields of a `Standing`
    shrunk: Shrunk

    def __getitem__(self, row: int) -> Standing:
        """Return the standing of one strategy."""
        return Standing(**{name: column[row].item() for name, column in self.columns.items()})


def message_of(seq: int, spec_ids: list[str], round_trips: NDArray[np.int64], found: Standings) -> ArenaStandings:
    """Return the standings after the decision at event ``seq`` as a message.

    Args:
        seq: the event.
        spec_ids: of the strategies.
        round_trips: of each, after the decision: none where its evidence starts again, shape (strategies,).
        found: their standings.
    """
    expected, deviations = found.columns["expected"].tolist(), found.columns["deviation"].tolist()
    return ArenaStandings(
        seq=seq, spec_ids=list(spec_ids), round_trips=round_trips.tolist(), expected=expected, deviations=deviations
    )


def standings(figures: NDArray[Any], weights: NDArray[np.float64], paper_alpha: float, live_alpha: float) -> Standings:
    """Return the standings of strategies.

    Args:
        figures: the evidence of each strategy that is a candidate, whatever its mode, shape (strategies,), dtype
            FIGURES.
        weights: the weight of each in the selection, given before its first round trip, shape (strategies,).
        paper_alpha: bound of the share of false discoveries among strategies beyond probation.
        live_alpha: the same for live trading.
    """
    e_values, counts, means, variances = (
        np.ascontiguousarray(figures[name]) for name in ("e_value", "round_trips", "mean", "variance")
    )
    shrunk = shrink(counts, means, variances)
    paper, live = (select(e_values, weights, alpha) for alpha in (paper_alpha, live_alpha))
    needed = trades_needed(e_values, paper.thresholds, shrunk.means, shrunk.variances, MAX_LOSS)
    columns = {
        "is_proven": paper.accepted,
        "is_proven_for_live": live.accepted,
        "threshold": np.minimum(paper.thresholds, NEVER),
        "live_threshold": np.minimum(live.thresholds, NEVER),
        "expected": shrunk.means,
        "deviation": shrunk.deviations,
        "trades_needed": np.minimum(needed, NEVER),
    }
    return Standings(columns, shrunk)
