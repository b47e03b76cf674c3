"""The HTTP application of a node: JSON-RPC at /, and the routes of others."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import FaultPlan
from memesnipe.localnet.rpc.errors import node_behind
from memesnipe.localnet.rpc.methods import answer, refusal

MAX_BODY_BYTES: Final = 50 * 1024  # as Agave
_BEHIND_SLOTS: Final = 150
_JSON: Final = "application/json"
_TOO_MANY: Final = b'{"jsonrpc":"2.0","error":{"code":429,"message":"Too many requests"},"id":null}'


def application(chain: Chain, plan: FaultPlan, routes: Iterable[BaseRoute] = ()) -> Starlette:
    """Return the application.

    Args:
        chain: the node's.
        plan: of the faults of requests to /.
        routes: of other servers that share the port.
    """

    async def rpc(request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response()  # to nobody
        if len(body) > MAX_BODY_BYTES:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        fault = plan.of_request()
        if fault is None:
            return Response(answer(body, chain), media_type=_JSON)
        return _failure(fault, body, chain, plan)

    return Starlette(routes=[Route("/", rpc, methods=["POST"]), *routes])


def _failure(fault: str, body: bytes, chain: Chain, plan: FaultPlan) -> Response:
    """Return what a client gets from a node with a fault."""
    if fault == "rate_limit":
        return Response(_TOO_MANY, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "1"}, _JSON)
    if fault == "node_behind":
        return Response(refusal(body, node_behind(_BEHIND_SLOTS)), media_type=_JSON)
    if plan.up_to("closed_socket", 3) > 1:
        answer(body, chain)
    return _ClosedConnection()


class _ClosedConnection(Response):
    """Promises an answer and ends without one, upon which the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - of the port
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
