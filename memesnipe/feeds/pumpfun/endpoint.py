"""One source of frames among the endpoints of the feed of pump.fun."""

from dataclasses import replace

from memesnipe.feeds.base import Feed, FeedStatus


class Endpoint:
    """One source of frames."""

    def __init__(self, name: str, feed: Feed) -> None:
        self.name, self.feed = name, feed
        self.has_ended = False
        self.refused = ""  # the last request that the node refused on this connection
        self._failures = 0

    def has_reconnected(self) -> bool:
        """Return whether reading failed since the last call."""
        failures = sum(status.failures for status in self.feed.statuses())
        if failures == self._failures:
            return False
        self._failures, self.refused = failures, ""
        return True

    def statuses(self) -> list[FeedStatus]:
        """Return the condition of the connection."""
        return [
            replace(status, error=self.refused) if self.refused and not status.error else status
            for status in self.feed.statuses()
        ]
