"""Mentions of tokens on X, from its filtered stream, which needs a bearer token and the user's rules.

The format is that of `GET /2/tweets/search/stream` (docs.x.com): one JSON object a line, an empty line every 20 s, and
one connection for a project. Each post that is read costs money, so which ones are read is left to the user's rules.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from memesnipe.feeds.base import Feed, FeedMessage
from memesnipe.feeds.decoded import DecodedFeed, UnusableError
from memesnipe.feeds.line_stream import LineStreamSource
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.posts import Mentions, Post

_STREAM: Final = "/2/tweets/search/stream?tweet.fields=created_at"


class _Data(msgspec.Struct):
    id: str
    text: str
    created_at: str


class _Line(msgspec.Struct):
    data: _Data | None = None
    errors: list[Any] = []


@dataclass(slots=True)
class XDecoder:
    """Decodes posts; ``mentions`` makes events of them."""

    mentions: Mentions

    def __call__(self, payload: Any) -> list[FeedMessage]:
        """Return the events of a post.

        Raises:
            UnusableError: the line is no post.
        """
        try:
            line = msgspec.json.decode(payload, type=_Line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise UnusableError("malformed") from None
        if line.data is None:
            raise UnusableError("error of the server" if line.errors else "malformed")
        return self.mentions.messages([Post(line.data.id, line.data.text, line.data.created_at)])


def x_feed(url: str, bearer_token: str, mentions: Mentions) -> Feed:
    """Return the feed; it is not open yet.

    Args:
        url: base URL of X's API.
        bearer_token: of the app.
        mentions: makes events of posts.
    """
    source = LineStreamSource(url.rstrip("/") + _STREAM, {"Authorization": f"Bearer {bearer_token}"})
    return DecodedFeed(LiveFeed("x", source), XDecoder(mentions), mentions.put_aside)
