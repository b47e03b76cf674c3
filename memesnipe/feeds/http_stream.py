"""The source of an endless HTTP response; subclasses say what is an event of it."""

from collections.abc import Generator, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal

import httpx

from memesnipe.feeds.base import IDLE, FeedEvent, ResumeToken, Signal
from memesnipe.feeds.http import MAX_BODY_BYTES, HttpClient

Response = httpx.Response
SILENCE_S: Final = 30.0  # X sends an empty line every 20 s


class HttpStreamSource:
    """One stream that never ends by itself. It yields IDLE after connecting, and cannot resume.

    Args:
        url: http:// or https://.
        headers: such as `Authorization`; their values are shown nowhere.
        silence_s: seconds without a byte after which the connection is given up.
        max_bytes: maximum size of an event.
    """

    separators: ClassVar[tuple[bytes, ...]]  # between events
    media_type: ClassVar[str]

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        silence_s: float = SILENCE_S,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._client = HttpClient(url, headers, silence_s, max_bytes, self.separators, self.media_type)

    def read(self, token: ResumeToken) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:  # noqa: ARG002
        """Connect, and yield the events; the token has no meaning.

        Raises:
            SourceError: the server cannot be reached, is silent, refuses, reports an error or ends the stream.
        """
        with self._client.opened(), self._client.request() as response:
            yield IDLE
            yield from self.events(response)
            raise self._client.error("the server ended the stream")

    def events(self, response: Response) -> Iterator[FeedEvent | Literal[Signal.IDLE]]:
        """Yield the events of a response until its end.

        Raises:
            SourceError: the server reports an error, or an event is too large.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End the connection; one that is still being opened (name, TCP, TLS) ends after 10 s."""
        self._client.close()
