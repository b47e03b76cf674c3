"""Allocation: the capital of each strategy. The formulas are in `docs/lifecycle.md`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHRINK_PERIODS: Final = 60.0  # a record of this many periods has the weight 1/2
KEPT_CHANGES: Final = 60  # latest changes of each strategy's return, one a decision
_MIN_CHANGES: Final = 5  # with fewer common changes two strategies count as uncorrelated
_NO_CHANGE: Final = 1e-9  # norm of a centred series below which it counts as constant
_ROWS_AT_ONCE: Final = 512


@dataclass(frozen=True, slots=True)
class Caps:
    """Upper bounds of allocations, as ratios of the capital.

    The risk gate bounds the exposure to one token (`memesnipe.trading.gate`).
    """

    strategy: float = 0.10  # each
    all: float = 0.80  # together


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The record of a strategy from which its share of the capital is computed."""

    sharpe: float  # annualised
    periods: int  # one-minute returns behind the ratio
    changes: Sequence[float] = field(default_factory=tuple)  # of its total return between decisions, the latest last


def allocate(candidates: Mapping[str, TrackRecord], equity_usd: float, caps: Caps) -> dict[str, float]:
    """Return the allocation of each strategy in USD, in proportion to its score; whole cents, rounded down.

    The score is the shrunk Sharpe ratio, at least 0, times the independence. No allocation exceeds ``caps.strategy``;
    what a cap removes from one strategy is not given to another.
    """
    names = list(candidates)
    if not names or equity_usd <= 0:
        return dict.fromkeys(names, 0.0)
    scores = np.maximum(shrunk_sharpes([candidates[name] for name in names]), 0.0)
    scores *= independence([candidates[name].changes for name in names])
    total = float(scores.sum())
    if total <= 0.0:
        return dict.fromkeys(names, 0.0)
    shares = np.minimum(caps.all * scores / total, caps.strategy)
    return {
        name: math.floor(equity_usd * share * 100) / 100 for name, share in zip(names, shares.tolist(), strict=True)
    }


def shrunk_sharpes(candidates: Sequence[TrackRecord]) -> NDArray[np.float64]:
    """Return each Sharpe ratio shrunk towards the mean of all, shape (candidates,).

    A strategy's own ratio has the weight n / (n + `SHRINK_PERIODS`) for n periods of record, the mean has the rest. A
    negative mean counts as 0.
    """
    sharpes = np.array([candidate.sharpe for candidate in candidates])
    periods = np.array([float(candidate.periods) for candidate in candidates])
    own = periods / (periods + SHRINK_PERIODS)
    drawn: NDArray[np.float64] = own * sharpes + (1.0 - own) * max(float(sharpes.mean()), 0.0)
    return drawn


def independence(changes: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return 1 / (1 + the sum of its positive correlations with the others) for each strategy, shape (strategies,).

    Ten copies of one strategy therefore get together what one alone would get. Two strategies are compared over the
    latest changes that both series have. A strategy with a constant series, or with too short a one, counts as
    independent.
    """
    lengths = np.array([min(len(series), KEPT_CHANGES) for series in changes], np.int64)
    latest = np.zeros((len(changes), KEPT_CHANGES))
    for row, series in enumerate(changes):
        if lengths[row]:
            latest[row, -lengths[row] :] = series[-int(lengths[row]) :]
    crowd = np.zeros(len(changes))
    # All pairs whose shorter series has this length, at once.
    for length in np.unique(lengths[lengths >= _MIN_CHANGES]).tolist():
        shorter, longer = np.flatnonzero(lengths == length), np.flatnonzero(lengths > length)
        ours, theirs = _standardised(latest[shorter, -length:]), _standardised(latest[longer, -length:])
        for start in range(0, len(shorter), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            among, across = _together(ours[rows], ours), _together(ours[rows], theirs)
            among[np.arange(len(among)), np.arange(start, start + len(among))] = 0.0  # each with itself
            crowd[shorter[rows]] += among.sum(axis=1) + across.sum(axis=1)
            crowd[longer] += across.sum(axis=0)
    independent: NDArray[np.float64] = 1.0 / (1.0 + crowd)
    return independent


def _standardised(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows centred and scaled to norm 1, so that their products are correlations; 0 for a constant row."""
    centred = series - series.mean(axis=1, keepdims=True)
    size = np.sqrt((centred * centred).sum(axis=1, keepdims=True))
    unit: NDArray[np.float64] = np.divide(centred, size, out=np.zeros_like(centred), where=size > _NO_CHANGE)
    return unit


def _together(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positive correlations, shape (some, others); rounded, because the last bits depend on the machine."""
    positive: NDArray[np.float64] = np.maximum(np.round(some @ others.T, 9), 0.0)
    return positive
