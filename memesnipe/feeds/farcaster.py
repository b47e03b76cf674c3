"""Mentions of tokens on Farcaster, through Neynar's search, which needs a key.

The format is that of `GET /v2/farcaster/cast/search/` (docs.neynar.com).
"""

from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from memesnipe.feeds.base import Feed, FeedMessage
from memesnipe.feeds.decoded import DecodedFeed, UnusableError
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.polling import PollingSource
from memesnipe.feeds.posts import Mentions, Post

INTERVAL_S: Final = 15.0
LIMIT: Final = 100  # casts of a response, the most that Neynar returns


class _Cast(msgspec.Struct):
    hash: str
    text: str
    timestamp: str


class _Casts(msgspec.Struct):
    casts: list[_Cast]


class _Response(msgspec.Struct):
    result: _Casts


class FarcasterDecoder:
    """Decodes the casts that are new in a response. The first response shows what was there before: it has no event.

    Args:
        mentions: makes events of posts.
    """

    def __init__(self, mentions: Mentions) -> None:
        self._mentions, self._has_begun = mentions, False

    def __call__(self, payload: Any) -> list[FeedMessage]:
        """Return the events in a response.

        Raises:
            UnusableError: it is not a list of casts.
        """
        try:
            casts = msgspec.json.decode(payload, type=_Response).result.casts
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise UnusableError("malformed") from None
        posts = [Post(cast.hash, cast.text, cast.timestamp) for cast in reversed(casts)]  # the oldest first
        if not self._has_begun:
            self._has_begun = True
            self._mentions.remember(posts)
            return []
        if len(posts) >= LIMIT and not self._mentions.knows_any(posts):
            self._mentions.put_aside["responses that may not have every cast"] += 1
        return self._mentions.messages(posts)


def farcaster_feed(url: str, api_key: str, query: str, mentions: Mentions, interval_s: float = INTERVAL_S) -> Feed:
    """Return the feed; it is not open yet.

    Args:
        url: base URL of Neynar's API.
        api_key: key of Neynar.
        query: that casts must match, in Neynar's syntax.
        mentions: makes events of posts.
        interval_s: seconds between two searches.
    """
    options = urlencode({"q": query, "mode": "literal", "sort_type": "desc_chron", "limit": LIMIT})
    source = PollingSource(f"{url.rstrip('/')}/v2/farcaster/cast/search/?{options}", interval_s, {"x-api-key": api_key})
    return DecodedFeed(LiveFeed("farcaster", source), FarcasterDecoder(mentions), mentions.put_aside)
