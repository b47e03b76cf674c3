"""JSON-RPC: one request to one address, with the errors of Solana's nodes as types."""

from typing import Any, Final, TypeVar

import msgspec

from memesnipe.solana.service import Service
from memesnipe.solana.service_errors import (
    NodeBehindError,
    PreflightError,
    RateLimitedError,
    RejectedError,
    UnreachableError,
)

PREFLIGHT: Final = -32002
# The node is behind or unhealthy, its block store is not ready, or an internal service is overloaded.
_BEHIND: Final = frozenset({-32005, -32004, -32014, -32016, -32603})
_RATE_LIMITED: Final = frozenset({429, -32429, -32097})  # the last is Jito's
_WAIT_S: Final = 1.0
_T = TypeVar("_T")


class _Error(msgspec.Struct):
    code: int
    message: str
    data: Any = None


class _Reply(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Error | None = None


async def call(service: Service, method: str, params: list[Any], kind: type[_T], path: str = "") -> _T:
    """Return the typed result of a request.

    Raises:
        ServiceError: as `memesnipe.solana.service_errors` says.
    """
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    response = await service.request("POST", path, content=body)
    try:
        reply = msgspec.json.decode(response.content, type=_Reply)
        if reply.error is None:
            service.checked(response)
            return msgspec.json.decode(reply.result, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        service.checked(response)
        raise UnreachableError(service.url, f"unexpected reply to {method}: {error}") from None
    raise _typed(service, method, reply.error)


def _typed(service: Service, method: str, error: _Error) -> RejectedError | RateLimitedError:
    text = service.hidden(f"{method}: {error.code} {error.message}")
    if error.code in _RATE_LIMITED:
        return RateLimitedError(service.url, text, _WAIT_S)
    if error.code in _BEHIND:
        return NodeBehindError(service.url, text, error.code)
    if error.code == PREFLIGHT and isinstance(error.data, dict):
        logs = [str(line) for line in error.data.get("logs") or ()]
        return PreflightError(service.url, text, error.code, error.data.get("err"), logs)
    return RejectedError(service.url, text, error.code)
