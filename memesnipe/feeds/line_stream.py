"""The source of an endless HTTP response of lines: yields every line that is not empty."""

from collections.abc import Iterator
from typing import Literal

from memesnipe.feeds.base import IDLE, FeedEvent, Signal
from memesnipe.feeds.http_stream import HttpStreamSource, Response


class LineStreamSource(HttpStreamSource):
    """One stream of lines, each a JSON text; empty lines only show that the server is there.

    It yields IDLE for each empty line, and the others as text, unread.
    """

    separators = (b"\n",)
    media_type = "application/json"

    def events(self, response: Response) -> Iterator[FeedEvent | Literal[Signal.IDLE]]:
        """Yield the lines.

        Raises:
            SourceError: a line is too long.
        """
        rest = b""
        for chunk in response.iter_bytes():
            *lines, rest = (rest + chunk).split(b"\n")  # only this byte ends a line; a text may have others
            for line in lines:
                if len(line) > self._client.max_bytes:
                    raise self._client.error(f"a line has more than {self._client.max_bytes} bytes")
                text = line.strip().decode(errors="replace")
                yield FeedEvent(text, None) if text else IDLE
