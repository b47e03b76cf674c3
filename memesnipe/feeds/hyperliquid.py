"""Funding rates and marks of the perps of Solana's memecoins on Hyperliquid, polled; it needs no key.

The format is that of `metaAndAssetCtxs` of the info endpoint (hyperliquid.gitbook.io, "Info endpoint: Perpetuals"): a
list of the perps, and one of their states in the same order. `funding` is the rate of the current hour.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from memesnipe.feeds.base import Feed, FeedMessage
from memesnipe.feeds.decoded import DecodedFeed, UnusableError
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.polling import PollingSource
from memesnipe.market.plausible import MAX_RATE, PRICE_USD

INTERVAL_S: Final = 15.0  # a request costs 20 of the 1,200 that an address has for a minute
_REQUEST: Final = b'{"type": "metaAndAssetCtxs"}'
# The mint of each perp, and the tokens in one unit of it.
PERPS: Final[dict[str, tuple[str, int]]] = {
    "kBONK": ("DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", 1_000),
    "WIF": ("EKpQGSJtjMFqKZ9KQanSqYXRcF8fBopzLHYxdM65zcjm", 1),
    "POPCAT": ("7GCihgDB8fe6KNjn2MYtkzZcRjQy3t9GHdC8uHYmW2hr", 1),
    "FARTCOIN": ("9BB6NFEcjBCtnNLFko2FqVQBq8HHM13kCyYcdQbgpump", 1),
    "GOAT": ("CzLSujWBLFsSjncfkh59rUFqvafWcY5tzedWJSuypump", 1),
    "PNUT": ("2qEHjDLDLbuBgRYvsxhc5D6uDWAivNFZGan56P1tpump", 1),
}


class _Perp(msgspec.Struct):
    name: str
    isDelisted: bool = False  # noqa: N815 - the name in the response


class _Meta(msgspec.Struct):
    universe: list[_Perp]


class _State(msgspec.Struct):  # null where a perp is not traded
    funding: str | None = None
    markPx: str | None = None  # noqa: N815 - as above


@dataclass(frozen=True, slots=True)
class HyperliquidDecoder:
    """Decodes the states of perps; `clock` returns ns since 1970.

    The response has no time, so the events have that of its arrival.
    """

    clock: Callable[[], int] = time.time_ns

    def __call__(self, payload: Any) -> list[FeedMessage]:
        """Return a funding event for each known perp that is traded.

        Raises:
            UnusableError: the response is not of the documented form, or a number in it is not plausible.
        """
        try:
            meta, states = msgspec.json.decode(payload, type=tuple[_Meta, list[_State]])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise UnusableError("malformed") from None
        if len(meta.universe) != len(states):
            raise UnusableError("malformed")
        ts = self.clock()
        pairs = zip(meta.universe, states, strict=True)
        messages = [
            _message(ts, perp.name, state) for perp, state in pairs if perp.name in PERPS and not perp.isDelisted
        ]
        if not messages:
            raise UnusableError("without a known perp")
        return messages


def _message(ts: int, name: str, state: _State) -> FeedMessage:
    """Return the event of one perp.

    Raises:
        UnusableError: its rate or mark is not plausible.
    """
    mint, units = PERPS[name]
    try:
        rate, mark_usd = float(state.funding or "nan"), float(state.markPx or "nan") / units
    except ValueError:
        raise UnusableError("malformed") from None
    if not (abs(rate) <= MAX_RATE and PRICE_USD[0] <= mark_usd <= PRICE_USD[1]):
        raise UnusableError("implausible")
    numbers = {"sol_usd": 0.0, "slot": 0, "rate": rate, "mark_usd": mark_usd}
    return {"kind": "funding", "ts": ts, "mint": mint, "venue": "", "side": "", **numbers}


def hyperliquid_feed(url: str) -> Feed:
    """Return the feed; it is not open yet.

    Args:
        url: base URL of Hyperliquid's API.
    """
    source = PollingSource(f"{url.rstrip('/')}/info", INTERVAL_S, posted=_REQUEST)
    return DecodedFeed(LiveFeed("hyperliquid", source), HyperliquidDecoder())
