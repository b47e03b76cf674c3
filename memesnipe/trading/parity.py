"""Parity: how far what the desk got is from what the simulation got for the same decision."""

from dataclasses import dataclass, field
from statistics import fmean
from typing import Final

from memesnipe.engine.orders import Fill
from memesnipe.market.events import BUY_SIDE, SELL_SIDE

BPS: Final = 10_000.0
MISSED_BPS: Final = 10_000.0  # one of the two failed and the other did not
_KEPT: Final = 20


def parity_bps(actual: Fill, simulated: Fill) -> float | None:
    """How much worse the actual price was than the simulated one, pool fees included; below 0 it was better.

    None where that shows nothing: both failed, or it is a perp venue's mark, which is one for all sizes.
    """
    if bool(actual.failure) != bool(simulated.failure):
        return MISSED_BPS
    side = actual.order.side
    if actual.failure or side not in (BUY_SIDE, SELL_SIDE):
        return None
    got, expected = _price(actual), _price(simulated)
    worse = got / expected - 1.0 if side == BUY_SIDE else 1.0 - got / expected
    return worse * BPS


def _price(fill: Fill) -> float:
    """Lamports a raw token: what a buyer pays, what a seller gets."""
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
        """The mean absolute error of the last 20 fills."""
        return fmean(map(abs, self.recent_bps)) if self.recent_bps else 0.0
