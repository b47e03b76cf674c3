"""Who may read: everyone on this machine, and from elsewhere only holders of the token."""

import ipaddress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from memesnipe.api.problems import ProblemAnswer
from memesnipe.api.token import is_allowed

_DATA: Final = ("/api", "/openapi.json")
_SCHEME: Final = "bearer "


class RemoteAccess:
    """ASGI middleware: data is for clients of loopback, and for others with the token.

    The pages themselves (`/`, `/docs`, `/static`) have no data, and ask for the token.

    Args:
        app: the application.
        token: required of clients from other machines; with an empty one all of them are refused.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request with 401, or pass it on."""
        is_data = scope["type"] == "http" and scope["path"].startswith(_DATA)
        if is_data and not _is_local(scope) and not is_allowed(bearer(Headers(scope=scope)), self._token):
            detail = "from another machine, reading needs the token of this installation: Authorization: Bearer TOKEN"
            await ProblemAnswer(401, detail, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
            return
        await self._app(scope, receive, send)


def bearer(headers: Headers) -> str | None:
    """Return the token that a request sends, or None."""
    given = headers.get("authorization", "")
    return given[len(_SCHEME) :] if given.lower().startswith(_SCHEME) else None


def _is_local(scope: Scope) -> bool:
    """Return whether the client is on this machine; False where its address is unknown."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0]) if client else None
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback) if address else False
