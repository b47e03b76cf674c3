"""Requests of the client: the token, conditional requests, and problem details as errors."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from memesnipe.client.errors import OF_STATUS, ApiError, UnexpectedResponseError, UnreachableError
from memesnipe.errors import InputError, printable
from memesnipe.replies import wait_of
from memesnipe.secret_file import read_secret

_MAX_KEPT: Final = 64  # responses, for conditional requests
_SHOWN: Final = 300  # characters of a message

Query = Mapping[str, str | int | bool | None]


class Transport:
    """Send requests to one server.

    Args:
        url: of the server, such as `http://127.0.0.1:8080`.
        token_file: with the token of the installation, read for each request; None sends none.
        timeout_s: for the connection, and for each read.

    Raises:
        InputError: the URL has no scheme `http` or `https`, or no host.
    """

    def __init__(self, url: str, token_file: Path | None, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{printable(url)[:_SHOWN]}: is no address of the API; it begins with http:// or https://")
        self.url = url.rstrip("/")
        self._token_file = token_file
        self._timeout_s = timeout_s
        # A proxy of the environment cannot reach this machine's loopback; certificates are slow to load.
        self._http = httpx.Client(
            base_url=self.url,
            timeout=timeout_s,
            trust_env=not _is_loopback(parts.hostname),
            verify=parts.scheme == "https",
        )
        self._kept: OrderedDict[str, tuple[str, httpx.Response]] = OrderedDict()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, query: Query, accepted: tuple[int, ...] = (HTTPStatus.OK,)) -> httpx.Response:
        """Return a response with an accepted status; an unchanged one is not transferred again.

        Raises:
            ApiError: one of those of `memesnipe.client.errors`.
        """
        request = self._http.build_request("GET", f"/api/{path}", params=_given(query), headers=self._headers())
        key = str(request.url)
        known = self._kept.get(key)
        if known is not None:
            request.headers["If-None-Match"] = known[0]
        response = self._send(request)
        if known is not None and response.status_code == HTTPStatus.NOT_MODIFIED:
            self._kept.move_to_end(key)
            return known[1]
        if response.status_code not in accepted:
            raise _error(response)
        if tag := response.headers.get("ETag"):
            self._kept[key] = (tag, response)
            while len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return response

    def post(self, path: str, query: Query) -> httpx.Response:
        """Send a command; return its response, with the status 202.

        Raises:
            ApiError: one of those of `memesnipe.client.errors`.
        """
        request = self._http.build_request("POST", f"/api/{path}", params=_given(query), headers=self._headers())
        response = self._send(request)
        if response.status_code != HTTPStatus.ACCEPTED:
            raise _error(response)
        return response

    def _headers(self) -> dict[str, str]:
        if self._token_file is None:
            return {}
        return {"Authorization": f"Bearer {read_secret(self._token_file, 'the token file').strip()}"}

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._http.send(request)
        except httpx.TimeoutException:
            raise UnreachableError(f"{self.url} has not responded for {self._timeout_s:g} s") from None
        except httpx.HTTPError as error:
            raise UnreachableError(f"{self.url} does not respond: {_line(str(error))}") from None


def read(kind: TypeAdapter[Any], response: httpx.Response) -> Any:
    """Return a response's JSON as a type; fields that this version does not know are left out.

    Raises:
        UnexpectedResponseError: it has another type.
    """
    try:
        return kind.validate_json(response.content, extra="ignore")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"{response.url.path}: {f'{where}: ' if where else ''}{first['msg']}"
        raise UnexpectedResponseError(_line(f"unexpected response at {problem}"), response.status_code) from None


def _error(response: httpx.Response) -> ApiError:
    """Return the error of a response: its problem details, or its status where it has none."""
    status = response.status_code
    try:
        detail = str(response.json()["detail"])
    except (ValueError, LookupError, TypeError):
        detail = f"{response.url.path}: {status} {response.reason_phrase}"
    kind = OF_STATUS.get(status, UnexpectedResponseError)
    return kind(_line(detail), status, wait_of(response.headers, time.time()))


def _given(query: Query) -> dict[str, str]:
    found = {name: value for name, value in query.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in found.items()}


def _line(text: str) -> str:
    return printable(" ".join(text.split()))[:_SHOWN]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
