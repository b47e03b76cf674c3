"""The source of a stream of server-sent events: yields the data of every event."""

from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from httpx_sse import EventSource

from memesnipe.feeds.base import IDLE, FeedEvent, ResumeToken, Signal
from memesnipe.feeds.http import MAX_BODY_BYTES, HttpClient

SILENCE_S: Final = 30.0
_SEPARATORS: Final = (b"\n\n", b"\r\n\r\n", b"\r\r")


class EventStreamSource:
    """One stream of server-sent events.

    It yields IDLE after connecting, and the data of each event as text, unread. It cannot resume.

    Args:
        url: http:// or https://.
        headers: such as `Authorization`; their values are shown nowhere.
        silence_s: seconds without a byte after which the connection is given up.
        max_event_bytes: maximum size of an event.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        silence_s: float = SILENCE_S,
        max_event_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._client = HttpClient(url, headers, silence_s, max_event_bytes, _SEPARATORS, "text/event-stream")

    def read(self, token: ResumeToken) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:  # noqa: ARG002
        """Connect, and yield the events; the token has no meaning.

        Raises:
            SourceError: the server cannot be reached, is silent, ends the stream or reports an error.
        """
        with self._client.opened(), self._client.request() as response:
            yield IDLE
            for event in EventSource(response).iter_sse():
                if event.event == "error":
                    raise self._client.error(f"the server reports: {event.data}")
                if len(event.data) > self._client.max_bytes:
                    raise self._client.error(f"an event has more than {self._client.max_bytes} characters")
                if event.data:
                    yield FeedEvent(event.data, None)
            raise self._client.error("the server ended the stream")

    def close(self) -> None:
        """End the connection; one that is still being opened (name, TCP, TLS) ends after 10 s."""
        self._client.close()
