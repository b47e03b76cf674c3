"""Allocation: the capital of each strategy, from its expected profit. The formulas are in `docs/lifecycle.md`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memesnipe.stats.shrinkage import Shrunk
from memesnipe.trading.kelly import cap_shares, kelly_shares


@dataclass(frozen=True, slots=True)
class Caps:
    """Upper bounds of allocations, as ratios of the capital, and the capital of a strategy on probation.

    The risk gate bounds the exposure to one token (`memesnipe.trading.gate`).
    """

    strategy: float = 0.10  # each
    all: float = 0.80  # together
    probation_usd: float = 5.0
    probation_strategies: int = 10  # at the same time


@dataclass(frozen=True, slots=True)
class Share:
    """A strategy that gets capital."""

    row: int  # in the estimates
    size: float  # share of its capital that it stakes on an entry
    is_proven: bool  # beyond probation


def allocate(shares: Sequence[Share], estimates: Shrunk, equity_usd: float, caps: Caps) -> list[float]:
    """Return the capital of each strategy in USD; whole cents, rounded down.

    A strategy on probation has the probation capital. A proven one has so much that an entry stakes half the Kelly
    share on a lower bound of its expected profit, and at least the probation capital. What a cap removes stays in cash.

    Args:
        shares: the strategies.
        estimates: of all strategies of the arena.
        equity_usd: of the account.
        caps: upper bounds.
    """
    if equity_usd <= 0.0:
        return [0.0] * len(shares)
    stakes = kelly_shares(estimates)
    probation = min(caps.probation_usd / equity_usd, caps.strategy)
    wanted = [max(stakes[one.row] / one.size, probation) if one.is_proven else probation for one in shares]
    capped = cap_shares(np.array(wanted, np.float64), caps.strategy, caps.all)
    return [math.floor(equity_usd * share * 100) / 100 for share in capped.tolist()]
