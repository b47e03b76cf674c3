"""Feeds that can produce their events from any position: tapes and generated markets."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from memesnipe.feeds.base import END, FeedEvent, FeedMessage, FeedStatus, Polled, ResumeToken


class PositionedFeed(ABC):
    """A feed whose token is a position: the number of events delivered since the first one."""

    live = False
    total: int | None = None
    assumptions: Mapping[str, Any] = MappingProxyType({})
    _position = 0
    _messages: Iterator[FeedMessage] = iter(())

    @abstractmethod
    def messages(self, position: int) -> Iterator[FeedMessage]:
        """Yield the events after the first ``position`` ones."""

    def open(self, token: ResumeToken) -> None:
        """Begin after as many events as the token says."""
        self._position = token or 0
        self._messages = self.messages(self._position)

    def poll(self, limit: int, timeout_s: float) -> Polled:  # noqa: ARG002 - the next events are always there
        """Return the next ``limit`` events, fewer at the end; then END."""
        events = [FeedEvent(m, self._position + n) for n, m in enumerate(islice(self._messages, limit), 1)]
        self._position += len(events)
        return events or END

    def statuses(self) -> list[FeedStatus]:
        """Return []: nothing is connected."""
        return []

    def close(self) -> None:
        """Drop the iterator; nothing else is held open."""
        self._messages = iter(())
