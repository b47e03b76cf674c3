"""The price of SOL from Jupiter's price API, polled; it needs no key.

The format is that of `/price/v3` (github.com/jup-ag/docs). Without a key 0.5 requests a second are allowed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from memesnipe.feeds.base import Feed, FeedMessage
from memesnipe.feeds.decoded import DecodedFeed, Decoder, UnusableError
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.polling import PollingSource
from memesnipe.feeds.sol_price import SOL_MINT, is_plausible, sol_price_message

INTERVAL_S: Final = 5.0
_Slot = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]


class _Quote(msgspec.Struct):
    usdPrice: float  # noqa: N815 - the name in the response
    blockId: _Slot | None = None  # noqa: N815 - the slot in which the price was last changed


@dataclass(slots=True)
class JupiterDecoder:
    """Decodes the price of SOL; `clock` returns ns since 1970.

    The response has no time, so the event has that of its arrival. A slot that was reported before means that the price
    is not a new one.
    """

    clock: Callable[[], int] = time.time_ns
    _last_slot: int = 0

    def __call__(self, payload: Any) -> list[FeedMessage]:
        """Return the price in a response.

        Raises:
            UnusableError: there is none, or no new one.
        """
        try:
            quote = msgspec.json.decode(payload, type=dict[str, _Quote | None]).get(SOL_MINT)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise UnusableError("malformed") from None
        if quote is None:
            raise UnusableError("without SOL")
        if not is_plausible(quote.usdPrice):
            raise UnusableError("implausible price")
        if quote.blockId is not None:
            if quote.blockId == self._last_slot:
                raise UnusableError("repeated")
            if quote.blockId < self._last_slot:
                raise UnusableError("out of order")
            self._last_slot = quote.blockId
        return [sol_price_message(self.clock(), quote.usdPrice, quote.blockId or 0)]


def jupiter_feed(
    url: str,
    api_key: str | None,
    decoding: Callable[[Decoder], Decoder] = lambda decode: decode,
    warning: Callable[[], str] = lambda: "",
) -> Feed:
    """Return the feed; it is not open yet.

    Args:
        url: base URL of Jupiter's APIs.
        api_key: key of Jupiter; None for none.
        decoding: wraps the decoder, see `memesnipe.feeds.sol_price`.
        warning: returns why the last price was put aside.
    """
    headers = {"x-api-key": api_key} if api_key else {}
    source = PollingSource(f"{url.rstrip('/')}/price/v3?ids={SOL_MINT}", INTERVAL_S, headers)
    return DecodedFeed(LiveFeed("jupiter", source), decoding(JupiterDecoder()), warning=warning)
