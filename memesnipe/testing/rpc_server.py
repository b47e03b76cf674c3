"""A node's JSON-RPC server on this machine, under a test's control."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from memesnipe.testing.http_server import HttpTestServer, respond


class RpcServer(HttpTestServer):
    """Answers each method with the result that its function returns for the parameters.

    `asked` has the methods and parameters of the requests that were answered. A function that raises `RpcFailureError`
    makes the node answer with an error; with `raw` it answers that text.
    """

    def __init__(self, **results: Callable[..., Any]) -> None:
        super().__init__()
        self.results = results
        self.asked: list[tuple[str, list[Any]]] = []
        self.raw: str | None = None

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one call."""
        call = json.loads(self.body_of(request))
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            reply["result"] = self.results[call["method"]](*call["params"])
        except RpcFailureError as failure:
            reply["error"] = {"code": failure.code, "message": str(failure)}
        with self.changed:
            self.asked.append((call["method"], call["params"]))
            self.changed.notify_all()
        text = json.dumps(reply) if self.raw is None else self.raw
        respond(request, 200, {"Content-Type": "application/json"}, text.encode())


class RpcFailureError(Exception):
    """An error of the node."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
