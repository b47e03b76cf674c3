"""Parity: the difference in price between the desk's fill and the simulated fill of the same decision.

On paper both land or fail alike, and any difference is a systematic one: what counts is the mean absolute error. A live
fill has noise of its own: it happens at another moment, and lands independently of the simulated one. Where it is
unbiased, the absolute error is large all the same, so that what counts is how much worse live fills are for certain.
"""

import math
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Final

from memesnipe.engine.orders import Fill
from memesnipe.market.events import BUY_SIDE, SELL_SIDE

BPS: Final = 10_000.0
MISSED_BPS: Final = 10_000.0  # only the simulated fill landed; negative: only the actual one did
_KEPT: Final = 20
_CERTAIN: Final = 3.5  # standard errors
_MIN_PRICES: Final = 8  # with fewer prices their deviation is unknown


def parity_bps(actual: Fill | None, simulated: Fill) -> float | None:
    """Return how much worse the actual price was than the simulated one, in bps with pool fees; negative if better.

    Args:
        actual: the fill of the desk's order; None where the order did not reach the chain.
        simulated: the fill of the same decision in the arena.

    Returns:
        None where no comparison is possible: both failed, or the order is for a perp, whose price is the same at any
        size.
    """
    has_failed = actual is None or bool(actual.failure)
    if has_failed != bool(simulated.failure):
        return MISSED_BPS if has_failed else -MISSED_BPS
    side = simulated.order.side
    if actual is None or has_failed or side not in (BUY_SIDE, SELL_SIDE):
        return None
    got, expected = _price(actual), _price(simulated)
    worse = got / expected - 1.0 if side == BUY_SIDE else 1.0 - got / expected
    return worse * BPS


def slippage_bps(fill: Fill) -> float | None:
    """Return how much worse a fill is than the quote at its decision, in bps with pool fees; negative if better.

    The quote is the desk's for the same size, in the pool of that moment. None for a fill that failed, and for perps.
    """
    order = fill.order
    if fill.failure or order.side not in (BUY_SIDE, SELL_SIDE) or order.expected <= 0:
        return None
    if order.side == BUY_SIDE:
        return (_price(fill) * order.expected / max(order.budget_lamports, 1) - 1.0) * BPS
    return (1.0 - _price(fill) * order.token_raw / order.expected) * BPS


def _price(fill: Fill) -> float:
    """Return the price in lamports per raw token: paid by a buyer, received by a seller."""
    fee = fill.pool_fee_lamports if fill.order.side == BUY_SIDE else -fill.pool_fee_lamports
    return max(fill.sol_lamports + fee, 1) / max(fill.token_raw, 1)


@dataclass(slots=True)
class Parity:
    """The record of one strategy: how many fills were compared, and the latest errors."""

    fills: int = 0
    recent_bps: list[float] = field(default_factory=list)

    def add(self, error_bps: float) -> None:
        """Add one comparison."""
        self.fills += 1
        self.recent_bps = [*self.recent_bps, error_bps][-_KEPT:]

    @property
    def error_bps(self) -> float:
        """The mean absolute error of the last 20 fills, in bps; 0 without any."""
        return fmean(map(abs, self.recent_bps)) if self.recent_bps else 0.0

    @property
    def worse_bps(self) -> float:
        """How much worse the prices of the last 20 fills are for certain: their mean less 3.5 standard errors.

        0 where fewer than 8 of them have two prices.
        """
        prices = [error for error in self.recent_bps if abs(error) != MISSED_BPS]
        if len(prices) < _MIN_PRICES:
            return 0.0
        return fmean(prices) - _CERTAIN * stdev(prices) / math.sqrt(len(prices))

    @property
    def missed_z(self) -> float:
        """How much more often only the simulated fill landed than only the actual one, in standard deviations.

        If both land equally often, either is as likely in each of these pairs (McNemar 1947).
        """
        missed, gained = (self.recent_bps.count(sign * MISSED_BPS) for sign in (1, -1))
        return (missed - gained) / math.sqrt(missed + gained) if missed + gained else 0.0
