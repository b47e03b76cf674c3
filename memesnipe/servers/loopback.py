"""HTTP requests to servers on this machine, without a proxy; no other module sends any.

It loads no slow module: `memesnipe status` uses it.
"""

import socket
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

HOST: Final = "127.0.0.1"

# By default urllib and httpx use HTTP_PROXY, but a proxy cannot reach this machine's loopback.
_OPENER: Final = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response of any status."""

    status: int
    body: bytes


def is_listened_to(port: int) -> bool:
    """Return whether a server accepts connections at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def get(url: str, timeout_s: float) -> Response:
    """GET a URL of this machine, ignoring HTTP_PROXY and ALL_PROXY.

    Args:
        url: with the host 127.0.0.1.
        timeout_s: for the connection, and for each read.

    Raises:
        TimeoutError: the server does not respond in time.
        OSError: the server does not respond.
    """
    return _send(Request(url), timeout_s)  # noqa: S310 - on loopback


def post(url: str, timeout_s: float, token: str) -> Response:
    """POST to a URL of this machine without a body, with a bearer token; raises the errors of `get`."""
    headers = {"Authorization": f"Bearer {token}"}
    return _send(Request(url, method="POST", headers=headers), timeout_s)  # noqa: S310 - on loopback


def _send(request: Request, timeout_s: float) -> Response:
    try:
        with _OPENER.open(request, timeout=timeout_s) as answer:
            return Response(answer.status, answer.read())
    except HTTPError as error:
        with error:
            return Response(error.code, error.read())
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise error.reason from None
        raise
    except HTTPException as error:
        raise OSError(f"the server is no HTTP server: {type(error).__name__}") from error
