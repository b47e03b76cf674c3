"""Requests to servers of this machine. All of them go through here, because none may go through a proxy.

Loads nothing that is slow: `memesnipe status` asks this way.
"""

import socket
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

HOST: Final = "127.0.0.1"

# By default urllib asks HTTP_PROXY, and so does httpx; a proxy knows nothing of our loopback.
_OPENER: Final = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, whatever its status."""

    status: int
    body: bytes


def is_listened_to(port: int) -> bool:
    """Whether somebody accepts connections at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def get(url: str, timeout_s: float) -> Answered:
    """GET a URL of this machine, whatever HTTP_PROXY and ALL_PROXY say.

    Args:
        url: where.
        timeout_s: for the connection, and for each read.

    Raises:
        TimeoutError: that took too long.
        OSError: nobody answers.
    """
    return _send(Request(url), timeout_s)  # noqa: S310 - an address of our own


def post(url: str, timeout_s: float, token: str) -> Answered:
    """POST to a URL of this machine what needs no body, for whoever has the token; raises what `get` does."""
    headers = {"Authorization": f"Bearer {token}"}
    return _send(Request(url, method="POST", headers=headers), timeout_s)  # noqa: S310 - an address of our own


def _send(request: Request, timeout_s: float) -> Answered:
    try:
        with _OPENER.open(request, timeout=timeout_s) as answer:
            return Answered(answer.status, answer.read())
    except HTTPError as error:
        with error:
            return Answered(error.code, error.read())
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise error.reason from None
        raise
    except HTTPException as error:
        raise OSError(f"what answers speaks no HTTP: {type(error).__name__}") from error
