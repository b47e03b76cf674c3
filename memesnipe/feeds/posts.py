"""Mentions of tokens in posts of people: which token a post names, and what is put aside.

A token is named by its mint address, or by the cashtag ($BONK) of a token from a fixed list. Anyone can give a coin the
ticker of another, so any other cashtag says nothing about a mint.
"""

import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.hyperliquid import PERPS
from memesnipe.feeds.pumpfun.programs import PROGRAMS, USDC, WRAPPED_SOL
from memesnipe.market.events import NS_PER_S

MAX_AGE_S: Final = 600.0  # of a post: what is older is no news
MAX_TOKENS: Final = 5  # in a post: more is a list, not a mention
MAX_KNOWN: Final = 10_000  # posts; a response has 100
# In the list by default: the tokens with a perp, whose cashtags are theirs by far.
CASHTAGS: Final = {name.removeprefix("k").upper(): mint for name, (mint, _) in PERPS.items()}
_ADDRESS: Final = re.compile(r"(?<![0-9A-Za-z])[1-9A-HJ-NP-Za-km-z]{32,44}(?![0-9A-Za-z])")
_CASHTAG: Final = re.compile(r"(?<![0-9A-Za-z$])\$([A-Za-z][0-9A-Za-z]{0,14})(?![0-9A-Za-z])")
_NO_TOKENS: Final = PROGRAMS | {USDC, WRAPPED_SOL}


class Post(NamedTuple):
    """A post."""

    identifier: str
    text: str
    created: str  # ISO 8601


@dataclass(slots=True)
class Mentions:
    """Makes events of posts, one for each token that a post names; ``put_aside`` has the other posts by reason.

    An event has one mention, no sentiment (0), and the time of its arrival: services deliver posts seconds late.

    Args:
        cashtags: mint by ticker in capitals.
        clock: returns ns since 1970.
    """

    cashtags: Mapping[str, str]
    clock: Callable[[], int] = time.time_ns
    put_aside: Counter[str] = field(default_factory=Counter)
    _known: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def messages(self, posts: Iterable[Post]) -> list[FeedMessage]:
        """Return the events of posts that are new."""
        return [_message(self.clock(), mint) for post in posts for mint in self._tokens(post)]

    def remember(self, posts: Iterable[Post]) -> None:
        """Take posts as known, without events."""
        for post in posts:
            self._is_new(post)

    def knows_any(self, posts: Iterable[Post]) -> bool:
        """Return whether one of the posts is known."""
        return any(post.identifier in self._known for post in posts)

    def _is_new(self, post: Post) -> bool:
        is_new = post.identifier not in self._known
        self._known[post.identifier] = None
        self._known.move_to_end(post.identifier)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return is_new

    def _tokens(self, post: Post) -> list[str]:
        """Return the mints that a new post names; [] and a count for one that is put aside."""
        if not self._is_new(post):
            return []
        try:
            age_s = self.clock() / NS_PER_S - _seconds(post.created)
        except (ValueError, OverflowError):
            self.put_aside["post without a time"] += 1
            return []
        tickers = [ticker.upper() for ticker in _CASHTAG.findall(post.text)]
        named = [*filter(_is_token, _ADDRESS.findall(post.text)), *(self.cashtags.get(one, "") for one in tickers)]
        mints = list(dict.fromkeys(mint for mint in named if mint))
        if age_s > MAX_AGE_S:
            reason = "old post"
        elif len(mints) > MAX_TOKENS:
            reason = "post that lists tokens"
        elif not mints:
            reason = "cashtag of no known token" if tickers else "post without a token"
        else:
            return mints
        self.put_aside[reason] += 1
        return []


def _seconds(time_of_day: str) -> float:
    """Return a time in ISO 8601 in seconds since 1970.

    Raises:
        ValueError, OverflowError: it is none, or has no time zone.
    """
    found = datetime.fromisoformat(time_of_day)
    if found.tzinfo is None:
        raise ValueError("without a time zone")
    return found.timestamp()


def _is_token(address: str) -> bool:
    """Return whether a text is an address, and none of the programs or of what tokens are paid in."""
    try:
        Pubkey.from_string(address)
    except ValueError:
        return False
    return address not in _NO_TOKENS


def _message(ts: int, mint: str) -> FeedMessage:
    numbers = {"sol_usd": 0.0, "slot": 0, "sentiment": 0.0, "mentions": 1.0}
    return {"kind": "social", "ts": ts, "mint": mint, "venue": "", "side": "", **numbers}
