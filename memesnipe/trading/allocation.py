"""Allocation: how much capital each strategy gets. The formulas are in `docs/lifecycle.md`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHRINK_PERIODS: Final = 60.0  # a record of so many periods counts half
KEPT_CHANGES: Final = 60  # of each strategy's return, from one decision to the next
_LEAST_CHANGES: Final = 5  # fewer say nothing about a correlation


@dataclass(frozen=True, slots=True)
class Caps:
    """The most, as ratios of the capital. The most in one token is the risk gate's (`memesnipe.trading.gate`)."""

    strategy: float = 0.10
    all: float = 0.80


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a strategy's share is computed from."""

    sharpe: float  # annualised
    periods: int  # that it comes from
    changes: Sequence[float] = field(default_factory=tuple)  # of its return, the latest last


def allocate(candidates: Mapping[str, Candidate], equity_usd: float, caps: Caps) -> dict[str, float]:
    """USD for each strategy, in proportion to what its record is worth, none above the cap; whole cents."""
    names = list(candidates)
    if not names or equity_usd <= 0:
        return dict.fromkeys(names, 0.0)
    merits = np.maximum(shrunk_sharpes([candidates[name] for name in names]), 0.0)
    merits *= independence([candidates[name].changes for name in names])
    total = float(merits.sum())
    if total <= 0.0:
        return dict.fromkeys(names, 0.0)
    shares = np.minimum(caps.all * merits / total, caps.strategy)
    return {
        name: math.floor(equity_usd * share * 100) / 100 for name, share in zip(names, shares.tolist(), strict=True)
    }


def shrunk_sharpes(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
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

    Ten copies of one strategy so get together what one of them would get. Who has too short a series to tell, or one
    that does not vary, is taken as independent.
    """
    count = len(changes)
    crowd = np.zeros(count)
    long_enough = [i for i, series in enumerate(changes) if len(series) >= _LEAST_CHANGES]
    for position, i in enumerate(long_enough):
        for j in long_enough[position + 1 :]:
            together = max(_correlation(changes[i], changes[j]), 0.0)
            crowd[i] += together
            crowd[j] += together
    return 1.0 / (1.0 + crowd)


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Of the decisions that both have seen, the latest ones."""
    length = min(len(one), len(other))
    a, b = np.array(one[-length:]), np.array(other[-length:])
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1e-12 else 0.0
