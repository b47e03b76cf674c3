"""An HTTP server on this machine under a test's control; subclasses say what a request is answered with."""

import contextlib
import socket
import sys
import threading
from collections import deque
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class _Threads(ThreadingHTTPServer):
    daemon_threads = False  # closing the server waits for the threads of its requests

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print an error, unless the client has left."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class HttpTestServer:
    """A server whose answers a test queues as payloads; it fails as the test requires."""

    def __init__(self) -> None:
        self.changed = threading.Condition()  # guards everything below
        self.payloads: deque[str] = deque()
        self.is_closed = False
        self._cuts = self._stalls = 0  # requests yet to break, and to leave without an answer
        self._refusal: tuple[int, Mapping[str, str]] | None = None
        self._sockets: list[socket.socket] = []
        self.attempts = 0  # requests, refused ones included
        self.requests: list[tuple[str, dict[str, str]]] = []  # path and headers, the names in lower case
        self.bodies: list[bytes] = []  # of posts
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            body = b""  # of the current request

            def setup(self) -> None:
                super().setup()
                with owner.changed:
                    owner._sockets.append(self.connection)

            def do_GET(self) -> None:
                owner._handle(self)

            def do_POST(self) -> None:
                self.body = self.rfile.read(int(self.headers["Content-Length"]))
                with owner.changed:
                    owner.bodies.append(self.body)
                owner._handle(self)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = _Threads(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="http server")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()
            sockets = list(self._sockets)
        for one in sockets:
            with contextlib.suppress(OSError):  # closed already
                one.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def send(self, *payloads: str) -> None:
        """Queue payloads."""
        with self.changed:
            self.payloads += payloads
            self.changed.notify_all()

    def refuse(self, status: int | None, headers: Mapping[str, str] | None = None) -> None:
        """Refuse new requests with a status; None accepts them again."""
        with self.changed:
            self._refusal = None if status is None else (status, headers or {})

    def cut(self) -> None:
        """Break the connection of the current request, else of the next one."""
        with self.changed:
            self._cuts += 1
            self.changed.notify_all()

    def stall(self) -> None:
        """Leave the current request, else the next one, without another byte."""
        with self.changed:
            self._stalls += 1
            self.changed.notify_all()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        raise NotImplementedError

    def body_of(self, request: BaseHTTPRequestHandler) -> bytes:
        """Return the body of a request; other requests may have arrived since."""
        body: bytes = getattr(request, "body", b"")
        return body

    def take(self, request: BaseHTTPRequestHandler, timeout_s: float | None = None) -> str | None:
        """Return the next payload for a request; None if none comes in time, or the request has failed or ended."""
        with self.changed:
            self.changed.wait_for(lambda: self.payloads or self._cuts or self._stalls or self.is_closed, timeout_s)
            if self._stalls:
                self._stalls -= 1
                self.changed.wait_for(lambda: self.is_closed)
            if self.is_closed or has_left(request.connection):
                return None
            if self._cuts:
                self._cuts -= 1
                request.connection.shutdown(socket.SHUT_RDWR)
                return None
            return self.payloads.popleft() if self.payloads else None

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        with self.changed:
            self.attempts += 1
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.requests.append((request.path, headers))
            refusal = self._refusal
        try:
            if refusal is None:
                self.answer(request)
            else:
                respond(request, *refusal, body=b"refused\n")
        except OSError:  # the client has left
            request.close_connection = True


def respond(
    request: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> None:
    """Send a whole response."""
    request.send_response(status)
    for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def has_left(connection: Any) -> bool:
    """Return whether the client has closed a connection."""
    try:
        return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
    except BlockingIOError:
        return False
    except OSError:
        return True
