"""Attention on DexScreener: tokens whose holders pay for a boost, or have described the token there. It needs no key.

The formats are those of `/token-boosts/latest/v1` and `/token-profiles/latest/v1` (docs.dexscreener.com), each of which
may be asked 60 times a minute.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from memesnipe.feeds.base import Feed, FeedMessage
from memesnipe.feeds.decoded import DecodedFeed, UnusableError
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.merge import MergedFeed
from memesnipe.feeds.polling import PollingSource
from memesnipe.market.record_rules import is_mint

INTERVAL_S: Final = 10.0
MAX_KNOWN: Final = 10_000  # tokens; a response has 30
_CHAIN: Final = "solana"
_SENTIMENT: Final = 1.0  # whoever pays for a token's attention is for it


class _Entry(msgspec.Struct):
    chainId: str  # noqa: N815 - the names in the response
    tokenAddress: str  # noqa: N815
    totalAmount: float = 0.0  # noqa: N815 - of all boosts that are active
    updatedAt: str = ""  # noqa: N815 - of a profile


@dataclass(slots=True)
class DexScreenerDecoder:
    """Decodes what is new in a response, as mentions of a token; `clock` returns ns since 1970.

    A boost counts as many mentions as it adds, a profile that is new or changed as one. The first response only shows
    what was there before, so it has no event. Events have the time of their arrival: boosts have no time of their own.
    """

    clock: Callable[[], int] = time.time_ns
    _known: OrderedDict[str, tuple[float, str]] = field(default_factory=OrderedDict)
    _has_begun: bool = False

    def __call__(self, payload: Any) -> list[FeedMessage]:
        """Return a social event for each token with something new.

        Raises:
            UnusableError: the response is not a list of tokens.
        """
        try:
            entries = msgspec.json.decode(payload, type=list[_Entry])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise UnusableError("malformed") from None
        ts = self.clock()
        found = [(one.tokenAddress, self._mentions(one)) for one in entries if one.chainId == _CHAIN]
        has_begun, self._has_begun = self._has_begun, True
        return [_message(ts, mint, mentions) for mint, mentions in found if has_begun and mentions > 0]

    def _mentions(self, entry: _Entry) -> float:
        """Return the mentions that are new, and keep what the entry says.

        Raises:
            UnusableError: the token's address is none.
        """
        if not is_mint(entry.tokenAddress):
            raise UnusableError("malformed")
        amount, updated = self._known.pop(entry.tokenAddress, (0.0, None))
        self._known[entry.tokenAddress] = (entry.totalAmount, entry.updatedAt)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        if entry.totalAmount > 0:
            return entry.totalAmount - amount  # boosts end: a smaller total is no news
        return float(entry.updatedAt != updated)


def _message(ts: int, mint: str, mentions: float) -> FeedMessage:
    numbers = {"sol_usd": 0.0, "slot": 0, "sentiment": _SENTIMENT, "mentions": mentions}
    return {"kind": "social", "ts": ts, "mint": mint, "venue": "", "side": "", **numbers}


def dexscreener_feed(url: str, interval_s: float = INTERVAL_S) -> Feed:
    """Return the feed of boosts and profiles; it is not open yet.

    Args:
        url: base URL of DexScreener's API.
        interval_s: seconds between two requests for the same.
    """
    feeds: dict[str, Feed] = {}
    for name in ("boosts", "profiles"):
        source = PollingSource(f"{url.rstrip('/')}/token-{name}/latest/v1", interval_s)
        feeds[name] = DecodedFeed(LiveFeed(f"dexscreener {name}", source), DexScreenerDecoder())
    return MergedFeed(feeds)
