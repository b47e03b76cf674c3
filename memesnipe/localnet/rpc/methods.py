"""The methods of the node, and the answer to a request in JSON-RPC 2.0."""

from typing import Any, Final

import msgspec
import orjson

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.rpc import accounts, cluster, fees, sending, tokens, transactions
from memesnipe.localnet.rpc.errors import INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RpcError
from memesnipe.localnet.rpc.params import Call, decode

_MODULES: Final = (cluster, accounts, tokens, fees, sending, transactions)
METHODS: Final[dict[str, type[Call]]] = {
    f"{kind.__name__[0].lower()}{kind.__name__[1:]}": kind
    for module in _MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Call) and kind.__module__ == module.__name__
}


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """A request in JSON-RPC 2.0."""

    jsonrpc: str
    method: str
    id: int | str | None = None
    params: list[Any] = []


def answer(body: bytes, chain: Chain) -> bytes:
    """Return the reply to a request, or to a batch of them."""
    try:
        requests = orjson.loads(body)
    except orjson.JSONDecodeError:
        return orjson.dumps(failure(None, RpcError(PARSE_ERROR, "Parse error")))
    if isinstance(requests, list) and requests:
        return orjson.dumps([_answer(request, chain) for request in requests])
    return orjson.dumps(_answer(requests, chain))


def refusal(body: bytes, error: RpcError) -> bytes:
    """Return the reply of a node that refuses whatever it is asked."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        request = None
    return orjson.dumps(failure(_identity(request), error))


def failure(identity: int | str | None, error: RpcError) -> dict[str, Any]:
    """Return the reply with an error."""
    return {"jsonrpc": "2.0", "error": error.body(), "id": identity}


def _answer(body: Any, chain: Chain) -> dict[str, Any]:
    try:
        request = msgspec.convert(body, Request)
    except msgspec.ValidationError as error:
        return failure(_identity(body), RpcError(INVALID_REQUEST, f"Invalid request: {error}"))
    try:
        if request.jsonrpc != "2.0":
            raise RpcError(INVALID_REQUEST, "Invalid request: jsonrpc must be 2.0")
        kind = METHODS.get(request.method)
        if kind is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        return {"jsonrpc": "2.0", "result": decode(request.params, kind).result(chain), "id": request.id}
    except RpcError as error:
        return failure(request.id, error)


def _identity(body: Any) -> int | str | None:
    """Return the identity of a request that may be none."""
    identity = body.get("id") if isinstance(body, dict) else None
    return identity if isinstance(identity, int | str) else None
