"""Requests of sources: one at a time, with a limit of bytes, and another thread can end them."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpx

from memesnipe import __version__
from memesnipe.errors import first_line
from memesnipe.feeds.retry import RATE_LIMIT_WAIT_S, SourceError
from memesnipe.replies import wait_of

CONNECT_S: Final = 10.0
MAX_BODY_BYTES: Final = 1 << 20
_RATE_LIMITED: Final = 429
_LONGEST_SEPARATOR: Final = 4  # bytes
_HEADERS: Final = {"User-Agent": f"memesnipe/{__version__}", "Accept-Encoding": "identity"}

# httpx logs the URL of each request, which may have a key, at the level INFO.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(slots=True)
class HttpClient:
    """A client of one URL, which one thread uses and another may close.

    Proxies of the environment are used; redirects are errors, because a key must go to no other host.
    """

    url: str
    headers: Mapping[str, str]  # with keys, which are shown nowhere
    read_s: float  # without a byte, after which the server is given up
    max_bytes: int = MAX_BODY_BYTES
    separators: tuple[bytes, ...] = ()  # of a stream's parts; the limit of bytes is that of a part
    accept: str = "*/*"
    _client: httpx.Client | None = None
    _socket: socket.socket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_closed: bool = False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keep connections open from one request to the next, and close them at the end."""
        timeout = httpx.Timeout(self.read_s, connect=CONNECT_S)
        headers = {**_HEADERS, "Accept": self.accept, **self.headers}
        with httpx.Client(headers=headers, timeout=timeout, verify=_certificates()) as self._client:
            yield

    @contextmanager
    def request(self, posted: bytes | None = None) -> Iterator[httpx.Response]:
        """Send a request, while opened; the body of the response has not been read yet.

        Args:
            posted: JSON to send with POST; None for a GET request.

        Raises:
            SourceError: the server cannot be reached, is silent, breaks the connection, or its status is no success.
        """
        assert self._client is not None  # noqa: S101 - opened
        with self._lock:
            if self._is_closed:
                raise self.error("closed")
        try:
            method, headers = ("GET", {}) if posted is None else ("POST", {"Content-Type": "application/json"})
            extensions = {"trace": self._trace}
            with self._client.stream(
                method, self.url, content=posted, headers=headers, extensions=extensions
            ) as response:
                response.stream = _Limited(response.stream, self)
                self._check(response)
                yield response
        except httpx.ReadTimeout:
            raise self.error(f"no byte for {self.read_s:g} s") from None
        except httpx.HTTPError as error:
            raise self.error(f"{type(error).__name__}: {first_line(error)}") from None

    def _check(self, response: httpx.Response) -> None:
        """Check the status of a response.

        Raises:
            SourceError: it is no success.
        """
        if response.is_success:
            return
        wait_s = wait_of(response.headers, time.time()) or 0.0
        if response.status_code == _RATE_LIMITED:
            wait_s = wait_s or RATE_LIMIT_WAIT_S
        raise self.error(f"HTTP {response.status_code} {response.reason_phrase}", wait_s)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep the socket of the connection as soon as there is one."""
        stream = info.get("return_value")
        if event.endswith(("connect_tcp.complete", "start_tls.complete")) and stream is not None:
            with self._lock:
                self._socket = stream.get_extra_info("socket")
                if self._is_closed:
                    self._shut_down()

    def error(self, text: str, wait_s: float = 0.0) -> SourceError:
        """Return an error of the URL, without the keys that were sent."""
        for value in self.headers.values():
            text = text.replace(value.rpartition(" ")[2] or "...", "...")  # without a scheme such as Bearer
        return SourceError(self.url, text, wait_s)

    def close(self) -> None:
        """End a request in progress: it raises an error in its thread."""
        with self._lock:
            self._is_closed = True
            self._shut_down()

    def _shut_down(self) -> None:
        # Closing the client alone would leave the other thread waiting for the socket.
        if self._socket is not None:
            with suppress(OSError):  # not connected any more
                self._socket.shutdown(socket.SHUT_RDWR)


@cache
def _certificates() -> ssl.SSLContext:
    """Return the certificates to trust; loading them takes about 0.2 s."""
    return httpx.create_ssl_context()


class _Limited(httpx.SyncByteStream):
    """A body that fails when a part of it is too large.

    Args:
        stream: the body.
        client: with the separators of the parts and their limit.
    """

    def __init__(self, stream: Any, client: HttpClient) -> None:
        self._stream, self._client = stream, client

    def __iter__(self) -> Iterator[bytes]:
        size, tail = 0, b""  # of the current part; the end of what was read before, where a separator may have begun
        for chunk in self._stream:
            text = tail + chunk
            ends = [text.rfind(s) + len(s) for s in self._client.separators if s in text]
            size = len(text) - max(ends) if ends else size + len(chunk)
            if size > self._client.max_bytes:
                raise self._client.error(f"the server sent more than {self._client.max_bytes} bytes at once")
            tail = text[-_LONGEST_SEPARATOR:]
            yield chunk

    def close(self) -> None:
        """Close the body."""
        self._stream.close()
