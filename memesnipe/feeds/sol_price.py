"""The price of SOL: its event, and the last one for feeds whose amounts are in SOL."""

import time
from collections.abc import Callable
from math import inf
from typing import Final

from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.decoded import Decoder, UnusableError
from memesnipe.market.plausible import SOL_USD

SOL_MINT: Final = "So11111111111111111111111111111111111111112"
# SOL moves about 1 % in this time. Without any price, no trade could be valued at all while a service is down.
MAX_AGE_S: Final = 300.0
MAX_DEVIATION: Final = 0.02  # between two sources: more than SOL moves between their last prices
COMPARED_S: Final = 30.0  # since a price arrived, after which no other is compared with it
DEVIATES: Final = "deviates from another source"


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

    A price that is too far from the last one of another source is put aside: one of the two is wrong, and which is not
    known, so the one that was accepted first stays until it is `COMPARED_S` old.

    Args:
        max_age_s: seconds after which a price is not used any more.
        clock: returns monotonic seconds.
    """

    def __init__(self, max_age_s: float = MAX_AGE_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_age_s, self._clock = max_age_s, clock
        self._sol_usd, self._noted_at_s = 0.0, -inf
        self._by_source: dict[str, tuple[float, float]] = {}  # the last price accepted, and when
        self._warnings: dict[str, str] = {}

    def usd(self) -> float:
        """Return the price in USD; 0 if none is known, or only an old one."""
        return self._sol_usd if self._clock() - self._noted_at_s <= self._max_age_s else 0.0

    def warning(self, source: str) -> str:
        """Return why the last price of a source was put aside; "" if it was not."""
        return self._warnings.get(source, "")

    def noting(self, source: str, decode: Decoder) -> Decoder:
        """Return a decoder of prices of SOL that also keeps the last one here, and compares it with other sources."""

        def decode_and_note(payload: object) -> list[FeedMessage]:
            messages = decode(payload)
            if messages:
                self._note(source, messages[-1]["sol_usd"])
            return messages

        return decode_and_note

    def _note(self, source: str, sol_usd: float) -> None:
        """Keep a price.

        Raises:
            UnusableError: it is too far from that of another source.
        """
        now_s = self._clock()
        for other, (usd, at_s) in self._by_source.items():
            deviation = abs(sol_usd / usd - 1.0)
            if other != source and now_s - at_s <= COMPARED_S and deviation > MAX_DEVIATION:
                self._warnings[source] = (
                    f"prices are put aside: {sol_usd:,.2f} USD is {deviation:.1%} from the {usd:,.2f} of {other}"
                )
                raise UnusableError(DEVIATES)
        self._warnings.pop(source, None)
        self._by_source[source] = (sol_usd, now_s)
        self._sol_usd, self._noted_at_s = sol_usd, now_s
