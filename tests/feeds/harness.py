"""What the tests of sources need of each kind of source: its server, the source, and how the server fails."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from memesnipe.feeds.line_stream import LineStreamSource
from memesnipe.feeds.live import Source
from memesnipe.feeds.polling import PollingSource
from memesnipe.feeds.server_sent_events import EventStreamSource
from memesnipe.feeds.websocket import WebsocketSource, WebsocketTimes
from memesnipe.testing.event_stream_server import EventStreamServer
from memesnipe.testing.line_stream_server import LineStreamServer
from memesnipe.testing.polled_server import PolledServer
from memesnipe.testing.websocket_server import WebsocketServer

SOON_S = 10.0  # far more than any of it takes
LIMIT_BYTES = 50_000
SILENCE_S = 0.3
KEY = "hunter2secret"
SUBSCRIBE = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "logsSubscribe", "params": ["all"]})


class Server(AbstractContextManager[Any], Protocol):
    url: str
    attempts: int

    def send(self, *payloads: str) -> None: ...
    def cut(self) -> None: ...
    def stall(self) -> None: ...
    def refuse(self, status: int | None, headers: dict[str, str] | None = None) -> None: ...


class Kind(Protocol):
    def server(self) -> Server: ...
    def source(self, url: str, *, silence_s: float = SOON_S) -> Source: ...


class Websocket:
    def server(self) -> Server:
        return WebsocketServer()

    def source(self, url: str, *, silence_s: float = SOON_S) -> Source:
        times = WebsocketTimes(open_s=SOON_S, silence_s=silence_s)
        return WebsocketSource(url, [SUBSCRIBE], times, max_frame_bytes=LIMIT_BYTES)


class EventStream:
    def server(self) -> Server:
        return EventStreamServer()

    def source(self, url: str, *, silence_s: float = SOON_S) -> Source:
        return EventStreamSource(url, {"Authorization": f"Bearer {KEY}"}, silence_s, LIMIT_BYTES)


class Polling:
    def server(self) -> Server:
        return PolledServer()

    def source(self, url: str, *, silence_s: float = SOON_S) -> Source:
        return PollingSource(url, 0.005, {"x-api-key": KEY}, silence_s, LIMIT_BYTES)


class LineStream:
    def server(self) -> Server:
        return LineStreamServer()

    def source(self, url: str, *, silence_s: float = SOON_S) -> Source:
        return LineStreamSource(url, {"Authorization": f"Bearer {KEY}"}, silence_s, LIMIT_BYTES)


KINDS: dict[str, Kind] = {
    "websocket": Websocket(),
    "event stream": EventStream(),
    "line stream": LineStream(),
    "polling": Polling(),
}


def wait_until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.002)
