"""Allocation: the capital of each strategy, from its expected profit. The formulas are in `docs/lifecycle.md`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from memesnipe.stats.shrinkage import Shrunk
from memesnipe.trading.kelly import cap_shares, kelly_shares
from memesnipe.trading.loss_limit import LossLimit


@dataclass(frozen=True, slots=True)
class Caps:
    """Upper bounds of allocations, as ratios of the capital, and the capital of a strategy on probation.

    The risk gate bounds the exposure to one token (`memesnipe.trading.gate`).
    """

    strategy: float = 0.10  # each
    all: float = 0.80  # together
    probation_usd: float = 5.0
    probation_strategies: int = 10  # at the same time
    loss_limit: LossLimit = field(default_factory=LossLimit)


@dataclass(frozen=True, slots=True)
class Share:
    """A strategy that gets capital."""

    row: int  # in the estimates
    size: float  # share of its capital that it stakes on an entry
    has_place: bool  # on probation: it has at least the probation capital
    least_usd: float = 0.0  # it has at least this as well: live by hand, without evidence that would give it more


def allocate(
    shares: Sequence[Share], estimates: Shrunk, equity_usd: float, caps: Caps, investable: float
) -> list[float]:
    """Return the capital of each strategy in USD; whole cents, rounded down.

    Each has so much that an entry stakes half the Kelly share on a lower bound of its expected profit; all together
    have at most what may be invested. With a place on probation it has at least the probation capital; a live one that
    a person has promoted has at least its live capital. What a cap removes stays in cash.

    Args:
        shares: the strategies.
        estimates: of all strategies of the arena.
        equity_usd: of the account.
        caps: upper bounds.
        investable: what may be invested by the loss limit, as a ratio of the equity.
    """
    if equity_usd <= 0.0:
        return [0.0] * len(shares)
    stakes = kelly_shares(estimates)
    probation = min(caps.probation_usd / equity_usd, caps.strategy)
    wanted = np.array([stakes[one.row] / one.size for one in shares], np.float64)
    grown = cap_shares(wanted, caps.strategy, min(caps.all, investable))
    least = np.array(
        [max(probation if one.has_place else 0.0, min(one.least_usd / equity_usd, caps.strategy)) for one in shares],
        np.float64,
    )
    capped = cap_shares(np.maximum(grown, least), caps.strategy, caps.all)
    return [math.floor(equity_usd * share * 100) / 100 for share in capped.tolist()]
