"""A local Helius Sender: takes signed transactions with a tip, without preflight.

Source: Helius' documentation: ``skipPreflight`` and a tip are required, ``maxRetries`` is 0; the tier that sends to
staked connections only takes a smaller tip.
"""

import base64
from typing import Any, Final

import orjson
from solders.transaction import VersionedTransaction
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.errors import RejectedTransactionError
from memesnipe.localnet.http_replies import RateLimit, rpc_error, rpc_result
from memesnipe.localnet.market import keypair_of
from memesnipe.localnet.tips import add_tip_accounts, tip_lamports

MIN_TIP_LAMPORTS: Final = 1_000_000
MIN_TIP_SWQOS_LAMPORTS: Final = 5_000
# Of the local chain alone.
TIP_ACCOUNTS: Final = tuple(keypair_of(f"sender tip {number}").pubkey() for number in range(3))
_INVALID_PARAMS, _NO_METHOD, _RATE_LIMITED = -32602, -32601, -32429


class SenderServer:
    """The route of the Sender.

    Args:
        chain: the chain.
        limit: of the rate of requests.
    """

    def __init__(self, chain: Chain, limit: RateLimit | None = None) -> None:
        self._chain, self._limit = chain, limit or RateLimit()
        add_tip_accounts(chain, TIP_ACCOUNTS)

    def routes(self) -> list[Route]:
        """Return the HTTP routes."""
        return [Route("/fast", self._send, methods=["POST"])]

    async def _send(self, request: Request) -> Response:
        body = orjson.loads(await request.body())
        request_id = body.get("id")
        if not self._limit.take()[0]:
            return rpc_error(request_id, _RATE_LIMITED, "Rate limit exceeded", 429)
        if body.get("method") != "sendTransaction":
            return rpc_error(request_id, _NO_METHOD, "Method not found")
        is_swqos = request.query_params.get("swqos_only") == "true"
        problem = self._problem(body.get("params"), MIN_TIP_SWQOS_LAMPORTS if is_swqos else MIN_TIP_LAMPORTS)
        if isinstance(problem, str):
            return rpc_error(request_id, _INVALID_PARAMS, problem)
        return rpc_result(request_id, str(problem.signatures[0]))

    def _problem(self, params: Any, min_tip: int) -> str | VersionedTransaction:
        """Queue a transaction and return it, or say why it is refused."""
        try:
            options = params[1]
            if options.get("encoding") != "base64" or options.get("skipPreflight") is not True:
                return "encoding must be base64 and skipPreflight true"
            if options.get("maxRetries", 0) != 0:
                return "maxRetries must be 0"
            transaction = VersionedTransaction.from_bytes(base64.b64decode(params[0], validate=True))
        except (ValueError, TypeError, IndexError, AttributeError):
            return "invalid transaction"
        if tip_lamports(transaction, TIP_ACCOUNTS) < min_tip:
            return f"Transaction must send a tip of at least {min_tip} lamports"
        try:
            self._chain.send(transaction)
        except RejectedTransactionError as error:
            return f"invalid transaction: {error}"
        return transaction
