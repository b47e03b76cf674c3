"""Checks before every application (host, path, size of the body) and headers of every response."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memesnipe.api.problems import ProblemAnswer

MAX_BODY_BYTES: Final = 1_024
LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")

_SAFE: Final = ("GET", "HEAD", "OPTIONS")

# Defaults for headers that a response does not set.
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class RequestChecks:
    """ASGI middleware around a whole application.

    A page of another site can reach a server on loopback through its own host name (DNS rebinding), but cannot change
    the Host header that the browser sends: a name that is not allowed is refused with 421.

    Args:
        app: the application.
        hosts: allowed names besides those of loopback, without a port.
        max_body_bytes: largest body.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = (), max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._hosts = {*LOOPBACK_HOSTS, *(host.lower() for host in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it to the application."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # no application has websockets
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> ProblemAnswer | None:
        headers = Headers(scope=scope)
        if not self._allows(headers.getlist("host")):
            return _refuse(421, "this host name is not allowed; add it to DASHBOARD_HOSTS")
        if scope["method"] not in _SAFE and not self._is_own(headers.getlist("origin")):
            return _refuse(403, "a page of another site may not send this request")
        if any(ord(letter) < ord(" ") or letter == "\x7f" for letter in scope["path"]):
            return _refuse(404, "there is no such path")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self._max_body_bytes:
            return _refuse(413, f"a body has {self._max_body_bytes} bytes at most")
        return None

    def _is_own(self, origins: list[str]) -> bool:
        """Return whether a request comes from a page of this server, or from no page at all."""
        try:
            return not origins or self._allows([urlsplit(origin).netloc for origin in origins])
        except ValueError:  # it is no URL
            return False

    def _allows(self, given: list[str]) -> bool:
        if len(given) != 1:
            return False
        host = given[0].lower()
        name, separator, port = host.rpartition(":")
        return (name if separator and port.isdecimal() else host) in self._hosts


def _refuse(status: int, detail: str) -> ProblemAnswer:
    # The rest of the request is not read, so the connection ends with the response.
    return ProblemAnswer(status, detail, {"Connection": "close"})
