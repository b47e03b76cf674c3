"""Signals of the user's own: events that another program appends to a file, one JSON object a line."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

from memesnipe.feeds.base import Feed, FeedMessage
from memesnipe.feeds.decoded import DecodedFeed, UnusableError
from memesnipe.feeds.file_lines import LinesSource
from memesnipe.feeds.live import LiveFeed

# Not prices of tokens or of SOL: they value positions, and come from the chain alone.
KINDS: Final = frozenset({"social", "depth", "bridge", "funding", "onchain"})
_DEFAULTS: Final = {"venue": "", "side": "", "slot": 0, "sol_usd": 0.0}


def decode_signal(payload: Any, clock: Callable[[], int] = time.time_ns) -> list[FeedMessage]:
    """Return the event in a line; one without a time has that of its arrival.

    Args:
        payload: the line.
        clock: returns ns since 1970.

    Raises:
        UnusableError: the line is no object, or of a kind that is not accepted.
    """
    try:
        message = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise UnusableError("malformed") from None
    if not isinstance(message, dict):
        raise UnusableError("malformed")
    kind = message.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise UnusableError("kind not accepted")
    return [{**_DEFAULTS, "ts": clock(), **message}]


def signals_feed(path: Path) -> Feed:
    """Return the feed of the signals in a file; it is not open yet."""
    return DecodedFeed(LiveFeed("signals", LinesSource(path)), decode_signal)
