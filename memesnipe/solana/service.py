"""Requests to an HTTP service with typed errors, a limit of bytes, and its rate limits honoured."""

import logging
import time
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import httpx
import msgspec
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from memesnipe import __version__
from memesnipe.replies import wait_of
from memesnipe.solana.service_errors import (
    NodeBehindError,
    RateLimitedError,
    RejectedError,
    UnreachableError,
)

MAX_BODY_BYTES: Final = 4 << 20
_DEFAULT_WAIT_S: Final = 1.0  # after 429 without a usable header
_RATE_LIMITED: Final = 429
_SERVER_ERROR: Final = 500
_LOOPBACK: Final = "all://127.0.0.1"  # a proxy of the environment is not for this machine
_T = TypeVar("_T")

# httpx logs the URL of each request, which may have a key, at the level INFO.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def http_client(timeout_s: float = 5.0) -> httpx.AsyncClient:
    """Return a client whose connections stay open; redirects are errors, because a key must go to no other host."""
    headers = {"User-Agent": f"memesnipe/{__version__}"}
    return httpx.AsyncClient(timeout=timeout_s, headers=headers, mounts={_LOOPBACK: None})


def retrying(attempts: int = 4, max_wait_s: float = 2.0) -> AsyncRetrying:
    """Return the retries of a request that changes nothing; the last error is raised."""
    return AsyncRetrying(
        retry=retry_if_exception_type((UnreachableError, RateLimitedError, NodeBehindError)),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.05, max=max_wait_s),
        reraise=True,
    )


class Service:
    """One address of a service.

    Args:
        client: shared by services.
        url: base address; may contain a key, which no error shows.
        headers: with keys, which are shown nowhere.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url.rstrip("/")
        self._client, self._headers = client, dict(headers or {})
        self._blocked_until_s = 0.0

    async def request(
        self,
        method: str,
        path: str = "",
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Return the reply to a request; its status may be an error other than 429 and 5xx.

        Raises:
            RateLimitedError: the service refuses, or has refused until a time that has not come.
            UnreachableError: there was no reply, or the service has failed.
        """
        wait_s = self._blocked_until_s - time.monotonic()
        if wait_s > 0:
            raise RateLimitedError(self.url, f"rate limited for {wait_s:.1f} s", wait_s)
        sent = self._headers | ({} if content is None else {"Content-Type": "application/json"}) | dict(headers or {})
        try:
            async with self._client.stream(
                method, self.url + path, params=params, content=content, headers=sent
            ) as response:
                await self._read(response)
        except httpx.HTTPError as error:
            raise UnreachableError(self.url, type(error).__name__) from None
        self._follow_limit(response)
        if response.status_code >= _SERVER_ERROR:
            raise UnreachableError(self.url, f"HTTP {response.status_code}")
        return response

    async def get(self, path: str, params: Mapping[str, str], kind: type[_T]) -> _T:
        """Return the typed reply to a GET request.

        Raises:
            ServiceError: as `request` and `decode`.
            RejectedError: the status is an error.
        """
        return self.decode(self.checked(await self.request("GET", path, params=params)), kind)

    async def post(self, path: str, body: Any, kind: type[_T]) -> _T:
        """Return the typed reply to a POST request; errors as of `get`."""
        return self.decode(self.checked(await self.request("POST", path, content=msgspec.json.encode(body))), kind)

    def checked(self, response: httpx.Response) -> httpx.Response:
        """Return a reply whose status is a success.

        Raises:
            RejectedError: it is not; the text is the service's.
        """
        if response.is_success:
            return response
        try:
            reply = msgspec.json.decode(response.content)
        except (msgspec.MsgspecError, UnicodeError):
            reply = None
        fields = reply if isinstance(reply, dict) else {}
        text = next((str(fields[key]) for key in ("error", "errorMessage", "detail", "message") if fields.get(key)), "")
        code = fields.get("errorCode", response.status_code)
        raise RejectedError(self.url, self.hidden(f"{code} {text}".strip()), code)

    def decode(self, response: httpx.Response, kind: type[_T]) -> _T:
        """Return a reply as a type.

        Raises:
            UnreachableError: it is not of this type.
        """
        try:
            return msgspec.json.decode(response.content, type=kind)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise UnreachableError(self.url, f"unexpected reply: {type(error).__name__} {error}") from None

    def hidden(self, text: str) -> str:
        """Return a text of the service without the URL and the values of headers that were sent."""
        for secret in (self.url, self.url.partition("://")[2], self.url.rpartition("=")[2], *self._headers.values()):
            text = text.replace(secret, "...") if len(secret) > 3 else text
        return text

    async def _read(self, response: httpx.Response) -> None:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise UnreachableError(self.url, f"the reply has more than {MAX_BODY_BYTES} bytes")
        response._content = bytes(body)

    def _follow_limit(self, response: httpx.Response) -> None:
        """Wait as long as the service asks: after 429, and where a header says that nothing remains."""
        remaining = response.headers.get("x-ratelimit-remaining", "")
        is_used_up = remaining.lstrip("-").isdigit() and int(remaining) <= 0  # Jupiter's may be negative
        is_refused = response.status_code == _RATE_LIMITED
        if not is_refused and not is_used_up:
            return
        wait_s = wait_of(response.headers, time.time()) or (_DEFAULT_WAIT_S if is_refused else 0.0)
        self._blocked_until_s = time.monotonic() + wait_s
        if is_refused:
            raise RateLimitedError(self.url, f"HTTP 429, again in {wait_s:g} s", wait_s)
