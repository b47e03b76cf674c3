"""A websocket server on this machine under a test's control: it acknowledges subscriptions, and fails as required."""

import contextlib
import json
import logging
import socket
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

Frame = str | bytes
_LOGGER = logging.getLogger("memesnipe.testing.websocket_server")
_LOGGER.setLevel(logging.ERROR)  # tests look for the client's keys in all that is logged


class WebsocketServer:
    """A server whose frames a test queues; whichever connection is open when a frame is due receives it.

    Frames are sent as given: to test what a client makes of garbage, duplicates, another order or oversized frames,
    queue such.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards everything below
        self._frames: deque[Frame] = deque()
        self._open: list[ServerConnection] = []
        self._stalled: list[ServerConnection] = []
        self._senders: list[threading.Thread] = []
        self._subscriptions = 0
        self._refusal: tuple[int, Mapping[str, str]] | None = None
        self.subscription_error: dict[str, Any] | None = None  # the answer to a subscription instead of an id
        self.acknowledges = True
        self.requests: list[list[str]] = []  # received, by connection
        self.attempts = 0  # to connect, refused ones included
        self._server = serve(
            self._handle, "127.0.0.1", 0, process_request=self._greet, close_timeout=0.5, logger=_LOGGER
        )
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="websocket server")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._server.shutdown()
        self._thread.join()
        for sender in self._senders:
            sender.join()

    def send(self, *frames: Frame) -> None:
        """Queue frames."""
        with self._changed:
            self._frames += frames
            self._changed.notify_all()

    def refuse(self, status: int | None, headers: Mapping[str, str] | None = None) -> None:
        """Refuse new connections with an HTTP status; None accepts them again."""
        with self._changed:
            self._refusal = None if status is None else (status, headers or {})

    def cut(self) -> None:
        """Break every open connection without a closing frame."""
        self._resume()
        with self._changed:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)

    def hang_up(self, code: int, reason: str) -> None:
        """Close every open connection with a closing frame."""
        with self._changed:
            connections = list(self._open)
        for connection in connections:
            connection.close(code, reason)

    def stall(self) -> None:
        """Keep the open connections, but send nothing more on them and answer no ping, as a dead machine."""
        with self._changed:
            for connection in self._open:
                connection.protocol_mutex.acquire()
                self._stalled.append(connection)

    def _resume(self) -> None:
        with self._changed:
            for connection in self._stalled:
                connection.protocol_mutex.release()
            self._stalled.clear()

    def _greet(self, connection: ServerConnection, _request: Request) -> Response | None:
        with self._changed:
            self.attempts += 1
            if self._refusal is None:
                return None
            status, headers = self._refusal
        response = connection.respond(status, "refused\n")
        for name, value in headers.items():
            response.headers[name] = value
        return response

    def _handle(self, connection: ServerConnection) -> None:
        """Serve one connection until it ends."""
        received: list[str] = []
        sender = threading.Thread(target=self._send, args=(connection,), name="websocket sender")
        with self._changed:
            self.requests.append(received)
            self._open.append(connection)
            self._senders.append(sender)
        sender.start()
        try:
            for request in connection:
                received.append(str(request))
                self._answer(connection, json.loads(request))
        except ConnectionClosed:
            pass  # cut
        finally:
            with self._changed:
                self._open.remove(connection)
                self._changed.notify_all()

    def _answer(self, connection: ServerConnection, request: dict[str, Any]) -> None:
        if not self.acknowledges or "id" not in request:
            return
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        if self.subscription_error is not None:
            answer["error"] = self.subscription_error
        else:
            with self._changed:
                self._subscriptions += 1
                answer["result"] = self._subscriptions
        connection.send(json.dumps(answer))

    def _send(self, connection: ServerConnection) -> None:
        """Send frames as they are queued, until the connection ends."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._frames or connection not in self._open)
                if connection not in self._open:
                    return
                frame = self._frames.popleft()
            try:
                connection.send(frame)
            except ConnectionClosed:
                return
