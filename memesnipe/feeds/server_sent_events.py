"""The source of a stream of server-sent events: yields the data of every event."""

from collections.abc import Iterator
from typing import Literal

from httpx_sse import EventSource

from memesnipe.feeds.base import FeedEvent, Signal
from memesnipe.feeds.http_stream import HttpStreamSource, Response


class EventStreamSource(HttpStreamSource):
    """One stream of server-sent events; it yields the data of each as text, unread."""

    separators = (b"\n\n", b"\r\n\r\n", b"\r\r")
    media_type = "text/event-stream"

    def events(self, response: Response) -> Iterator[FeedEvent | Literal[Signal.IDLE]]:
        """Yield the data of the events.

        Raises:
            SourceError: the server reports an error, or an event is too large.
        """
        for event in EventSource(response).iter_sse():
            if event.event == "error":
                raise self._client.error(f"the server reports: {event.data}")
            if len(event.data) > self._client.max_bytes:
                raise self._client.error(f"an event has more than {self._client.max_bytes} characters")
            if event.data:
                yield FeedEvent(event.data, None)
