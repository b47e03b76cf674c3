"""Requests to servers of this machine. Every such request goes through here, because none may go through a proxy."""

import httpx

HOST = "127.0.0.1"

LoopbackError = httpx.HTTPError
LoopbackTimeout = httpx.TimeoutException


def get(url: str, timeout_s: float) -> httpx.Response:
    """GET a URL of this machine, whatever HTTP_PROXY and ALL_PROXY say.

    Raises:
        LoopbackError: there is no answer, within ``timeout_s`` for connecting and for each read.
    """
    return httpx.get(url, timeout=timeout_s, trust_env=False)
