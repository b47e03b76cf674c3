"""Allocation: how much capital each strategy gets. The formulas are in `docs/lifecycle.md`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHRINK_PERIODS: Final = 60.0  # a record of so many periods counts half
KEPT_CHANGES: Final = 60  # of each strategy's return, from one decision to the next
_MIN_CHANGES: Final = 5  # fewer say nothing about a correlation
_NO_CHANGE: Final = 1e-9  # the size of a series of returns below which it does not vary
_ROWS_AT_ONCE: Final = 512


@dataclass(frozen=True, slots=True)
class Caps:
    """The most, as ratios of the capital. The most in one token is the risk gate's (`memesnipe.trading.gate`)."""

    strategy: float = 0.10
    all: float = 0.80


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The record of a strategy that its share of the capital is computed from."""

    sharpe: float  # annualised
    periods: int  # that it comes from
    changes: Sequence[float] = field(default_factory=tuple)  # of its return, the latest last


def allocate(candidates: Mapping[str, TrackRecord], equity_usd: float, caps: Caps) -> dict[str, float]:
    """USD for each strategy, in proportion to what its record is worth, none above the cap; whole cents."""
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
    """Each Sharpe ratio drawn towards the mean of all, the more the shorter its record; shape (candidates,).

    With a prior as sure as `SHRINK_PERIODS` periods of record: n / (n + k) of its own and the rest of the mean.
    A mean below 0 is taken for 0, so nobody is lifted by losers.
    """
    sharpes = np.array([candidate.sharpe for candidate in candidates])
    periods = np.array([float(candidate.periods) for candidate in candidates])
    own = periods / (periods + SHRINK_PERIODS)
    drawn: NDArray[np.float64] = own * sharpes + (1.0 - own) * max(float(sharpes.mean()), 0.0)
    return drawn


def independence(changes: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """For each strategy 1 / (1 + the sum of its positive correlations with the others), shape (strategies,).

    Ten copies of one strategy so get together what one of them would get. Two are compared over the decisions that
    both have seen. Who has too short a series to tell, or one that does not vary, is taken as independent.
    """
    lengths = np.array([min(len(series), KEPT_CHANGES) for series in changes], np.int64)
    latest = np.zeros((len(changes), KEPT_CHANGES))
    for row, series in enumerate(changes):
        if lengths[row]:
            latest[row, -lengths[row] :] = series[-int(lengths[row]) :]
    crowd = np.zeros(len(changes))
    # All pairs of which the shorter series is so long, at once.
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
    """Rows of length 1 and mean 0, so that their products are correlations; 0 where a row does not vary."""
    centred = series - series.mean(axis=1, keepdims=True)
    size = np.sqrt((centred * centred).sum(axis=1, keepdims=True))
    unit: NDArray[np.float64] = np.divide(centred, size, out=np.zeros_like(centred), where=size > _NO_CHANGE)
    return unit


def _together(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positive correlations, shape (some, others); rounded, because the last bits depend on the machine."""
    positive: NDArray[np.float64] = np.maximum(np.round(some @ others.T, 9), 0.0)
    return positive
