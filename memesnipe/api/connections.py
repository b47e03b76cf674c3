"""Limits on a connection that uvicorn lacks: on the duration and size of a request, and on slow readers.

Without them the connection of a client that never completes its request, or never reads its response, stays open.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_TIMEOUT_S: Final = 10.0  # from the first byte of a request, or from the connection, to its last byte
READ_TIMEOUT_S: Final = 20.0  # for a client to read the data that exceeds the buffers
MAX_REQUEST_BYTES: Final = 65_536  # request line, headers and body together


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with deadlines. A connection that misses one is closed without a response."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._received_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request."""
        super().connection_made(transport)
        self._start_request_timer()

    def data_received(self, data: bytes) -> None:
        """Count the request's bytes, and start its deadline if it is not running."""
        self._start_request_timer()
        self._received_bytes += len(data)
        super().data_received(data)
        if self._received_bytes > MAX_REQUEST_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Start the deadline of a pipelined request."""
        self._start_request_timer()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Stop the deadline: the request is complete."""
        self._stop_request_timer()
        self._received_bytes = 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Stop the deadline: another protocol takes over the connection."""
        self._stop_request_timer()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """Start the read deadline: the buffers are full."""
        super().pause_writing()
        self._read_timer = self.loop.call_later(READ_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the read deadline."""
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
