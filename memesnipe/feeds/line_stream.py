"""The source of an endless HTTP response of lines: yields every line that is not empty."""

from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from memesnipe.feeds.base import IDLE, FeedEvent, ResumeToken, Signal
from memesnipe.feeds.http import MAX_BODY_BYTES, HttpClient

SILENCE_S: Final = 30.0  # X sends an empty line every 20 s


class LineStreamSource:
    """One stream of lines, each a JSON text; empty lines only show that the server is there.

    It yields IDLE after connecting and for each empty line, and the others as text, unread. It cannot resume.

    Args:
        url: http:// or https://.
        headers: such as `Authorization`; their values are shown nowhere.
        silence_s: seconds without a byte after which the connection is given up.
        max_line_bytes: maximum size of a line.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        silence_s: float = SILENCE_S,
        max_line_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._client = HttpClient(url, headers, silence_s, max_line_bytes, (b"\n",), "application/json")

    def read(self, token: ResumeToken) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:  # noqa: ARG002
        """Connect, and yield the lines; the token has no meaning.

        Raises:
            SourceError: the server cannot be reached, is silent, refuses or ends the stream.
        """
        with self._client.opened(), self._client.request() as response:
            yield IDLE
            rest = b""
            for chunk in response.iter_bytes():
                *lines, rest = (rest + chunk).split(b"\n")  # only this byte ends a line; a text may have others
                for line in lines:
                    if len(line) > self._client.max_bytes:
                        raise self._client.error(f"a line has more than {self._client.max_bytes} bytes")
                    text = line.strip().decode(errors="replace")
                    yield FeedEvent(text, None) if text else IDLE
            raise self._client.error("the server ended the stream")

    def close(self) -> None:
        """End the connection; one that is still being opened (name, TCP, TLS) ends after 10 s."""
        self._client.close()
