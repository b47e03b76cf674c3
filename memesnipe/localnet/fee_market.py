"""What the other users of a cluster pay to be included: a local chain has none of them, but says what they would pay.

Nothing waits for a higher bid here: a transaction lands whatever it pays. The prices and tips exist so that a client's
bids have something to follow. They can be changed while the chain runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

# Landed tips by percentile, in parts of their median.
_TIPS: Final = {"25th": 0.2, "50th": 1.0, "75th": 4.0, "95th": 200.0, "99th": 1_000.0}
_SPREAD: Final = (1, 2, 4)  # the prices in a block, in parts of the lowest
_BYTE: Final = 256


@dataclass(slots=True)
class FeeMarket:
    """The bids of others.

    Args:
        price: lowest price of compute in a block, on average, in micro-lamports a unit; 0: there are no others.
        tip: median of the landed tips, in lamports.
    """

    price: int = 0
    tip: int = 5_000

    def prices(self, slot: int) -> Sequence[int]:
        """Return the prices of others in a block, in ascending order; the lowest is 50 % to 150 % of the average."""
        if not self.price:
            return ()
        part = blake2b(slot.to_bytes(8, "little"), digest_size=1).digest()[0]
        lowest = self.price * (_BYTE // 2 + part) // _BYTE
        return [lowest * times for times in _SPREAD]

    def tips(self) -> dict[str, int]:
        """Return the landed tips in lamports, by the name of their percentile."""
        return {name: round(self.tip * times) for name, times in _TIPS.items()}
