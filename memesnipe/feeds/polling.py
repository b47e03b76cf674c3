"""The source of a URL that is asked again and again: yields the body of every response."""

import threading
import time
from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Final, Literal

import httpx

from memesnipe.feeds.base import IDLE, FeedEvent, ResumeToken, Signal
from memesnipe.feeds.http import MAX_BODY_BYTES, HttpClient
from memesnipe.feeds.retry import SourceError
from memesnipe.replies import wait_of

READ_S: Final = 10.0
_REMAINING: Final = "x-ratelimit-remaining"


class PollingSource:
    """One URL, asked at an interval that holds over failures and reconnections too.

    It yields the body of each response as text, unread; IDLE for one without content. If the server says that no
    request is left in its window (`x-ratelimit-remaining`), the next one follows after `x-ratelimit-reset`.

    Args:
        url: http:// or https://.
        interval_s: seconds from one request to the next.
        headers: such as an API key; their values are shown nowhere.
        read_s: seconds without a byte after which a response is given up.
        max_body_bytes: maximum size of a response.
        posted: JSON to send with POST; None for a GET request.
    """

    def __init__(
        self,
        url: str,
        interval_s: float,
        headers: Mapping[str, str] = MappingProxyType({}),
        read_s: float = READ_S,
        max_body_bytes: int = MAX_BODY_BYTES,
        posted: bytes | None = None,
    ) -> None:
        self._client = HttpClient(url, headers, read_s, max_body_bytes)
        self._posted = posted
        self._interval_s = interval_s
        self._due_at_s = 0.0  # of the next request, in monotonic seconds
        self._closed = threading.Event()

    def read(self, token: ResumeToken) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:  # noqa: ARG002
        """Ask, and yield the responses; the token has no meaning.

        Raises:
            SourceError: the server cannot be reached, is silent, or refuses.
        """
        with self._client.opened():
            while True:
                if self._closed.wait(max(self._due_at_s - time.monotonic(), 0.0)):
                    raise self._client.error("closed")
                text = self._ask()
                yield FeedEvent(text, None) if text else IDLE

    def _ask(self) -> str:
        self._due_at_s = time.monotonic() + self._interval_s
        try:
            with self._client.request(self._posted) as response:
                text = response.read().decode(errors="replace")
        except SourceError as error:
            self._due_at_s = max(self._due_at_s, time.monotonic() + error.wait_s)
            raise
        self._keep_to_limit(response)
        return text

    def _keep_to_limit(self, response: httpx.Response) -> None:
        remaining = response.headers.get(_REMAINING, "")
        if remaining == "0" or remaining.startswith("-"):
            self._due_at_s = max(self._due_at_s, time.monotonic() + (wait_of(response.headers, time.time()) or 0.0))

    def close(self) -> None:
        """End a request, and the wait for the next one; a connection being opened (name, TCP, TLS) ends after 10 s."""
        self._closed.set()
        self._client.close()
