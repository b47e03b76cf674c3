"""The price of SOL: its event, and the last one for feeds whose amounts are in SOL."""

import time
from collections.abc import Callable
from typing import Final

from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.decoded import Decoder
from memesnipe.market.plausible import SOL_USD

SOL_MINT: Final = "So11111111111111111111111111111111111111112"
# SOL moves about 1 % in this time. Without any price, no trade could be valued at all while a service is down.
MAX_AGE_S: Final = 300.0


def sol_price_message(ts: int, sol_usd: float, slot: int = 0) -> FeedMessage:
    """Return a price of SOL as a feed delivers it.

    Args:
        ts: of the price, in ns since 1970.
        sol_usd: the price.
        slot: of the chain; 0 if unknown.
    """
    return {"kind": "sol_price", "ts": ts, "slot": slot, "sol_usd": sol_usd, "venue": "", "side": "", "mint": ""}


def is_plausible(sol_usd: float) -> bool:
    """Return whether a price is one that the sequencer accepts."""
    return SOL_USD[0] <= sol_usd <= SOL_USD[1]


class LastSolPrice:
    """The last price of SOL that a feed has decoded. One thread uses it, the one that polls the feeds.

    Args:
        max_age_s: seconds after which a price is not used any more.
        clock: returns monotonic seconds.
    """

    def __init__(self, max_age_s: float = MAX_AGE_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_age_s, self._clock = max_age_s, clock
        self._sol_usd, self._noted_at_s = 0.0, 0.0

    def usd(self) -> float:
        """Return the price in USD; 0 if none is known, or only an old one."""
        return self._sol_usd if self._clock() - self._noted_at_s <= self._max_age_s else 0.0

    def noting(self, decode: Decoder) -> Decoder:
        """Return a decoder of prices of SOL that also keeps the last one here."""

        def decode_and_note(payload: object) -> list[FeedMessage]:
            messages = decode(payload)
            if messages:
                self._sol_usd, self._noted_at_s = messages[-1]["sol_usd"], self._clock()
            return messages

        return decode_and_note
