"""A server on this machine that is polled, under a test's control."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType

from memesnipe.testing.http_server import HttpTestServer, respond

_WAIT_S = 0.05  # for a payload


class PolledServer(HttpTestServer):
    """Every request is answered with the next payload, or with 204 if there is none yet.

    `headers` are those of the answers.
    """

    headers: Mapping[str, str] = MappingProxyType({})

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer with the next payload."""
        payload = self.take(request, _WAIT_S)
        respond(request, 204 if payload is None else 200, self.headers, (payload or "").encode())
