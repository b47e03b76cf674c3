"""Limits on one connection, which uvicorn does not have: on the time and the size of a request, and on slow readers.

Without them a client that never finishes its request, or never reads its answer, is kept for ever.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_TIMEOUT_S: Final = 10.0  # from the first byte of a request, or from the connection, to its last byte
READ_TIMEOUT_S: Final = 20.0  # in which a client must take what is more than the buffers hold
MAX_REQUEST_BYTES: Final = 65_536  # request line, headers and body together


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with deadlines. A connection that misses one is cut off without an answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._received_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time for the first request."""
        super().connection_made(transport)
        self._start_request_timer()

    def data_received(self, data: bytes) -> None:
        """Count what belongs to the request, and start its time where it does not run yet."""
        self._start_request_timer()
        self._received_bytes += len(data)
        super().data_received(data)
        if self._received_bytes > MAX_REQUEST_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Start the time of a request that follows another one at once."""
        self._start_request_timer()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Stop the time: the request is complete."""
        self._stop_request_timer()
        self._received_bytes = 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Stop the time: another protocol takes the connection."""
        self._stop_request_timer()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """Start the time to read: the buffers are full."""
        super().pause_writing()
        self._read_timer = self.loop.call_later(READ_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the time to read."""
        self._stop_read_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every timer."""
        self._stop_request_timer()
        self._stop_read_timer()
        super().connection_lost(exc)

    def _start_request_timer(self) -> None:
        if self._request_timer is None:
            self._request_timer = self.loop.call_later(REQUEST_TIMEOUT_S, self.transport.abort)

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _stop_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
