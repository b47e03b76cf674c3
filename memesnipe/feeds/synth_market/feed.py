"""The feed of the measured market: the market of `memesnipe synth`, delivered at any speed, with as many launches as
pump.fun had in 2025-09 (docs/synthetic-market.md).
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from memesnipe.feeds.base import END, FeedEvent, FeedMessage, FeedStatus, Polled, ResumeToken
from memesnipe.feeds.synth_market.edge import Edge
from memesnipe.feeds.synth_market.market import START_TS, SynthMarket
from memesnipe.market.codec import to_messages
from memesnipe.market.events import NS_PER_S, Events
from memesnipe.market.record_rules import ASSIGNED_BY_A_RUN

LAUNCHES_A_DAY: Final = 21_800
DAYS: Final = 60
_WINDOW_S: Final = 60.0  # that is generated at once


def measured_market(seed: int, edge: Edge = Edge.NONE) -> SynthMarket:
    """Return the market of the feed with this seed."""
    return SynthMarket(seed, LAUNCHES_A_DAY * DAYS, 24.0 * DAYS, edge)


class MeasuredFeed:
    """A market of 60 days that depends only on its seed; it is not live, because its time may run at any speed.

    The token is the number of the window of the last event, and the number of its events up to that one. So resuming
    generates only tokens that may still trade, however long the market has run.

    Args:
        seed: the seed of the market.
        first_ts: time from which events are delivered; earlier ones are the past of the market.
        edge: the planted edge.
    """

    live = False
    total: int | None = None

    def __init__(self, seed: int, first_ts: int = START_TS, edge: Edge = Edge.NONE) -> None:
        self._first_ts = first_ts
        self._market = measured_market(seed, edge)
        self.assumptions: Mapping[str, Any] = self._market.assumptions
        self._events: Iterator[FeedEvent] = iter(())

    def open(self, token: ResumeToken) -> None:
        """Begin after the event with this token."""
        window, index = token or (0, 0)
        self._events = self._from(window, index)

    def _from(self, window: int, index: int) -> Iterator[FeedEvent]:
        """Yield the events of a window after its first ``index`` ones, and those of all later windows."""
        start_ts = self._first_ts + int(window * _WINDOW_S * NS_PER_S)
        for number, events in enumerate(self._market.windows(_WINDOW_S, start_ts), window):
            for position, message in enumerate(self._messages(events[index:]), index + 1):
                yield FeedEvent(message, [number, position])
            index = 0

    def _messages(self, events: Events) -> Iterator[FeedMessage]:
        for message in to_messages(*self._market.with_mints(events)):
            for name in ASSIGNED_BY_A_RUN:
                del message[name]
            yield message

    def poll(self, limit: int, timeout_s: float) -> Polled:  # noqa: ARG002 - the next events are always there
        """Return the next ``limit`` events, fewer at the end of the market; then END."""
        return list(islice(self._events, limit)) or END

    def statuses(self) -> list[FeedStatus]:
        """Return []: nothing is connected."""
        return []

    def close(self) -> None:
        """Drop the generator and the working memory; nothing else is held open."""
        self._events = iter(())
