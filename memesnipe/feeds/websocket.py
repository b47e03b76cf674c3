"""The source of a websocket: sends subscriptions, and yields every frame that follows."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, Literal, cast

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from memesnipe.errors import first_line
from memesnipe.feeds.base import IDLE, FeedEvent, ResumeToken, Signal
from memesnipe.feeds.retry import RATE_LIMIT_WAIT_S, SourceError
from memesnipe.feeds.subscriptions import Subscriptions
from memesnipe.replies import wait_of

MAX_FRAME_BYTES: Final = 1 << 20  # the logs of a transaction have about 10 KB
_RATE_LIMITED: Final = 429
_CLOSE_S: Final = 1.0  # for the closing handshake; a dead server does not answer it
# The library logs the path of the URL, which may have a key, at the level DEBUG.
_LOGGER: Final = logging.getLogger("memesnipe.websocket")
_LOGGER.setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class WebsocketTimes:
    """The times of a websocket, in seconds."""

    open_s: float = 10.0  # to connect, and to have the subscriptions acknowledged
    ping_s: float = 20.0  # between two pings; Helius disconnects without one for 10 minutes
    pong_s: float = 20.0  # for the answer to a ping, or any frame; without it the connection is half-open
    silence_s: float = 60.0  # without any frame, although the server answers pings: the subscription is lost
    stopped_s: float = inf  # without a frame of a subscription that delivered, although others do: that one is lost


class WebsocketSource:
    """One websocket of JSON-RPC subscriptions, or of plain frames.

    It yields each frame as text (a binary one as bytes), unread; IDLE once every request with an ``id`` was
    acknowledged, and whenever the server answered a ping. It cannot resume: what was sent while it was not connected is
    missing.

    Args:
        url: ws:// or wss://; proxies of the environment are used, except for this machine.
        requests: JSON texts to send after connecting, such as `logsSubscribe`.
        times: pings and limits of time.
        max_frame_bytes: maximum size of a frame.
    """

    def __init__(
        self,
        url: str,
        requests: Sequence[str] = (),
        times: WebsocketTimes = WebsocketTimes(),
        max_frame_bytes: int = MAX_FRAME_BYTES,
    ) -> None:
        self._url, self._requests, self._times, self._max_frame_bytes = url, requests, times, max_frame_bytes
        self._lock = threading.Lock()
        self._connection: ClientConnection | None = None
        self._is_closed = False

    def read(self, token: ResumeToken) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:  # noqa: ARG002
        """Connect, subscribe, and yield the frames; the token has no meaning.

        Raises:
            SourceError: the connection failed, broke or is silent, or a subscription was refused.
        """
        try:
            with self._connected() as connection:
                yield from _Frames(connection, self._times, self._error).read(self._requests)
        except InvalidStatus as error:
            raise self._refused(error) from None
        except ConnectionClosed as error:
            raise self._error(_closing(error)) from None
        except (OSError, WebSocketException) as error:
            raise self._error(f"{type(error).__name__}: {first_line(error)}") from None

    def _connected(self) -> ClientConnection:
        before = self._connection

        def create(*args: Any, **options: Any) -> ClientConnection:
            """Keep the connection before its handshake, so that `close` can end that too."""
            with self._lock:
                if self._is_closed:
                    raise ConnectionAbortedError("closed")
                if self._connection is not before:
                    raise ConnectionAbortedError("the server redirects to another address")
                self._connection = ClientConnection(*args, **options)
                return self._connection

        return connect(
            self._url,
            create_connection=cast(type[ClientConnection], create),  # the library only calls it
            open_timeout=self._times.open_s,
            ping_interval=None,  # see `_Frames`: the library's pings also time out while this side reads slowly
            close_timeout=_CLOSE_S,
            max_size=self._max_frame_bytes,
            logger=_LOGGER,
        )

    def _refused(self, error: InvalidStatus) -> SourceError:
        response = error.response
        wait_s = wait_of(response.headers, time.time()) or 0.0
        if response.status_code == _RATE_LIMITED:
            wait_s = wait_s or RATE_LIMIT_WAIT_S
        return self._error(f"HTTP {response.status_code} {response.reason_phrase}", wait_s)

    def _error(self, text: str, wait_s: float = 0.0) -> SourceError:
        return SourceError(self._url, text, wait_s)

    def close(self) -> None:
        """End the connection; one that is still being opened (name, TCP, TLS) ends after `open_s`."""
        with self._lock:
            self._is_closed = True
            connection = self._connection
        if connection is None:
            return
        if connection.state is State.OPEN:
            connection.close()
        else:
            with suppress(OSError):  # not connected any more
                connection.socket.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True)
class _Frames:
    """The frames of one connection, and the clocks of its keepalive.

    Pings are sent and awaited between frames: while the reader waits for room in its queue, neither is due.
    """

    connection: ClientConnection
    times: WebsocketTimes
    error: Callable[[str], SourceError]
    _unacknowledged: set[Any] = field(default_factory=set)  # ids of requests
    _pong: threading.Event | None = None  # of the ping that was not answered yet
    _pinged_at_s: float = 0.0
    _subscribed_at_s: float = 0.0
    _frame_at_s: float = 0.0

    def read(self, requests: Iterable[str]) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:
        """Send the requests, and yield the frames.

        Raises:
            SourceError: a subscription was refused or has stopped, or the connection is silent.
        """
        for request in requests:
            self.connection.send(request)
            if (request_id := json.loads(request).get("id")) is not None:
                self._unacknowledged.add(request_id)
        self._subscribed_at_s = self._frame_at_s = self._pinged_at_s = time.monotonic()
        if not self._unacknowledged:
            yield IDLE
        subscriptions = Subscriptions(self.times.stopped_s)
        while True:
            try:
                frame = self.connection.recv(timeout=self._wait_s(time.monotonic()))
            except TimeoutError:
                if self._keep_alive(time.monotonic()):
                    yield IDLE
                continue
            self._frame_at_s = time.monotonic()
            self._ping_if_due(self._frame_at_s)
            if stopped := subscriptions.stopped(frame, self._frame_at_s):
                raise self.error(f"subscription {stopped} has had no frame for {self.times.stopped_s:g} s, others have")
            if self._unacknowledged and self._is_answer(frame):
                if not self._unacknowledged:
                    yield IDLE
                continue
            yield FeedEvent(frame, None)

    def _is_answer(self, frame: str | bytes) -> bool:
        """Return whether a frame acknowledges a request.

        Raises:
            SourceError: it refuses one.
        """
        try:
            answer = json.loads(frame)
        except (ValueError, RecursionError):
            return False  # yielded like any frame: the decoder counts it
        if not isinstance(answer, dict):
            return False
        if "error" in answer and (answer.get("id") in self._unacknowledged or answer.get("id") is None):
            raise self.error(f"the subscription was refused: {_error_text(answer['error'])}")
        if "result" not in answer or answer.get("id") not in self._unacknowledged:
            return False
        self._unacknowledged.discard(answer["id"])
        return True

    def _wait_s(self, now_s: float) -> float:
        """Return the seconds until the next deadline."""
        times = self.times
        due_s = [self._pinged_at_s + (times.ping_s if self._pong is None else times.pong_s)]
        due_s.append(self._frame_at_s + times.silence_s)
        if self._unacknowledged:
            due_s.append(self._subscribed_at_s + times.open_s)
        return max(min(due_s) - now_s, 0.0)

    def _keep_alive(self, now_s: float) -> bool:
        """Check the connection while no frame is there; return whether the last ping was answered.

        Raises:
            SourceError: the connection is half-open, silent, or its subscription was not acknowledged in time.
        """
        times = self.times
        if self._unacknowledged and now_s - self._subscribed_at_s >= times.open_s:
            raise self.error(f"the subscription was not acknowledged in {times.open_s:g} s")
        if now_s - self._frame_at_s >= times.silence_s:
            raise self.error(f"no frame for {times.silence_s:g} s")
        if self._pong is None:
            self._ping_if_due(now_s)
            return False
        is_alive = self._pong.is_set()
        if not is_alive and now_s - max(self._pinged_at_s, self._frame_at_s) >= times.pong_s:
            raise self.error(f"a ping was not answered in {times.pong_s:g} s")
        self._pong = None
        return is_alive

    def _ping_if_due(self, now_s: float) -> None:
        if now_s - self._pinged_at_s >= self.times.ping_s:
            self._pong, self._pinged_at_s = self.connection.ping(), now_s


def _error_text(error: Any) -> str:
    if isinstance(error, dict):
        return f"{error.get('message', '')} ({error.get('code', 'no code')})"
    return str(error)


def _closing(error: ConnectionClosed) -> str:
    """Return who closed a connection, and why."""
    if error.rcvd is None and error.sent is None:
        return "the connection broke without a closing frame"
    ours = error.rcvd is None or (error.sent is not None and not error.rcvd_then_sent)
    frame = error.sent if ours else error.rcvd
    assert frame is not None  # noqa: S101 - checked above
    reason = f": {frame.reason}" if frame.reason else ""
    return f"{'closed' if ours else 'closed by the server'} with code {int(frame.code)}{reason}"
