"""The price of SOL from Pyth's Hermes, as a stream of server-sent events.

The format is that of `/v2/updates/price/stream` (github.com/pyth-network/pyth-crosschain, apps/hermes). Since
2026-08-26 Hermes answers requests for prices only with an API key.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from memesnipe.feeds.base import Feed, FeedMessage
from memesnipe.feeds.decoded import DecodedFeed, Decoder, UnusableError
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.server_sent_events import EventStreamSource
from memesnipe.feeds.sol_price import is_plausible, sol_price_message
from memesnipe.market.events import NS_PER_S

SOL_USD_ID: Final = "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d"
MAX_CONFIDENCE: Final = 0.01  # of the price: about one standard deviation of what publishers report
MAX_AGE_S: Final = 10.0  # also ahead of this machine's clock, as the sequencer allows
_MAX_DIGITS: Final = 20
_EXPONENTS: Final = (-18, 0)


class _Price(msgspec.Struct):
    price: str
    conf: str
    expo: int
    publish_time: int  # seconds since 1970


class _Feed(msgspec.Struct):
    id: str
    price: _Price


class _Update(msgspec.Struct):
    parsed: list[_Feed]


@dataclass(slots=True)
class PythDecoder:
    """Decodes updates of the price of SOL; `clock` returns ns since 1970."""

    clock: Callable[[], int] = time.time_ns
    _last_time: int = 0
    _last_price: str = ""

    def __call__(self, payload: Any) -> list[FeedMessage]:
        """Return the price in an update.

        Raises:
            UnusableError: there is none, it is uncertain, old or repeated.
        """
        try:
            update = msgspec.json.decode(payload, type=_Update)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise UnusableError("malformed") from None
        price = next((feed.price for feed in update.parsed if feed.id.removeprefix("0x") == SOL_USD_ID), None)
        if price is None:
            raise UnusableError("without SOL")
        sol_usd, confidence_usd = _value(price.price, price.expo), _value(price.conf, price.expo)
        if not is_plausible(sol_usd) or confidence_usd < 0:
            raise UnusableError("implausible price")
        if confidence_usd > MAX_CONFIDENCE * sol_usd:
            raise UnusableError("uncertain price")
        self._check_time(price)
        return [sol_price_message(price.publish_time * NS_PER_S, sol_usd)]

    def _check_time(self, price: _Price) -> None:
        age_s = self.clock() / NS_PER_S - price.publish_time
        if abs(age_s) > MAX_AGE_S:
            raise UnusableError("old price" if age_s > 0 else "price of the future")
        if price.publish_time < self._last_time:
            raise UnusableError("out of order")
        if (price.publish_time, price.price) == (self._last_time, self._last_price):
            raise UnusableError("repeated")
        self._last_time, self._last_price = price.publish_time, price.price


def _value(digits: str, exponent: int) -> float:
    """Return ``digits * 10**exponent``.

    Raises:
        UnusableError: these are no such numbers.
    """
    if len(digits) > _MAX_DIGITS or not _EXPONENTS[0] <= exponent <= _EXPONENTS[1]:
        raise UnusableError("malformed")
    try:
        return int(digits) / float(10**-exponent)
    except ValueError:
        raise UnusableError("malformed") from None


def pyth_feed(
    url: str,
    api_key: str | None,
    decoding: Callable[[Decoder], Decoder] = lambda decode: decode,
    warning: Callable[[], str] = lambda: "",
) -> Feed:
    """Return the feed; it is not open yet.

    Args:
        url: base URL of Hermes.
        api_key: key of Hermes; None for none.
        decoding: wraps the decoder, see `memesnipe.feeds.sol_price`.
        warning: returns why the last price was put aside.
    """
    stream = f"{url.rstrip('/')}/v2/updates/price/stream?ids[]={SOL_USD_ID}&parsed=true"
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    return DecodedFeed(LiveFeed("pyth", EventStreamSource(stream, headers)), decoding(PythDecoder()), warning=warning)
