"""A local Jupiter: orders, instructions and execution of swaps over the chain's own pools.

Source: Jupiter's OpenAPI files. Quotes come from the emulated programs, so a swap pays what was quoted unless the pool
has moved. There is one route for a pair, and no gasless order.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from memesnipe.localnet.errors import RejectedTransactionError
from memesnipe.localnet.http_replies import RateLimit, landed, reply
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.programs.state import pay
from memesnipe.localnet.records import TransactionRecord
from memesnipe.localnet.swap_quotes import NoRouteError, SwapQuote, instructions, quote, route_plan
from memesnipe.localnet.tokens import token_account
from memesnipe.solana.addresses import JITO_TIP_ACCOUNTS, TOKEN_2022, WRAPPED_SOL, token_address

_AUTOMATIC_SLIPPAGE_BPS: Final = 100
_BUILD_SLIPPAGE_BPS: Final = 50
_UNIT_LIMIT: Final = 400_000
_UNIT_PRICE: Final = 10_000  # micro-lamports
_RESERVE_LAMPORTS: Final = 8_000_000  # for rents and fees
_NO_ORDER, _INVALID_TRANSACTION, _NOT_LANDED, _NOT_SIGNED = -1, -2, -1000, -1003
_Handler = Callable[[Request], Awaitable[Response]]


class BadRequestError(Exception):
    """The request is wrong; the text says how."""


@dataclass(frozen=True, slots=True)
class _Order:
    quote: SwapQuote
    last_height: int


class JupiterServer:
    """The swap routes of Jupiter.

    Args:
        market: the market with the pools.
        limit: of the rate of requests.
        execute_limit: of those that execute; Jupiter counts them by themselves.
    """

    def __init__(
        self, market: ChainMarket, limit: RateLimit | None = None, execute_limit: RateLimit | None = None
    ) -> None:
        self._market, self._chain = market, market.chain
        self._limit, self._execute_limit = limit or RateLimit(), execute_limit or RateLimit()
        self._orders: dict[str, _Order] = {}

    def routes(self) -> list[Route]:
        """Return the HTTP routes."""
        return [
            Route("/swap/v2/order", limited(self._order, self._limit)),
            Route("/swap/v2/build", limited(self._build, self._limit)),
            Route("/swap/v2/execute", limited(self._execute, self._execute_limit), methods=["POST"]),
        ]

    async def _order(self, request: Request) -> Response:
        request_id = sha256(f"{len(self._orders)} {request.url}".encode()).hexdigest()[:32]
        try:
            found, slippage_bps = self._quoted(request, _AUTOMATIC_SLIPPAGE_BPS)
            taker = _optional_key(request, "taker")
        except (BadRequestError, NoRouteError) as error:
            return reply({"requestId": request_id, "error": str(error) or "Failed to get quotes"}, 400)
        blockhash, last_height = self._chain.latest_blockhash()
        transaction, problem = None, None
        if taker is not None:
            problem = self._problem(found, taker)
            swap = instructions(found, taker, slippage_bps)
            budget = [set_compute_unit_limit(_UNIT_LIMIT), set_compute_unit_price(_UNIT_PRICE)]
            message = MessageV0.try_compile(taker, [*budget, *swap.setup, swap.swap, swap.cleanup], [], blockhash)
            unsigned = VersionedTransaction.populate(message, [Signature.default()])
            transaction = "" if problem else base64.b64encode(bytes(unsigned)).decode()
        self._orders[request_id] = _Order(found, last_height)
        body = _quote_fields(found, slippage_bps) | {
            "mode": "ultra",
            "priceImpact": 0,
            "feeBps": 0,
            "signatureFeeLamports": 5_000,
            "prioritizationFeeLamports": _UNIT_LIMIT * _UNIT_PRICE // 1_000_000,
            "rentFeeLamports": 0,
            "swapType": "aggregator",
            "router": "metis",
            "transaction": transaction,
            "lastValidBlockHeight": str(last_height),
            "gasless": False,
            "requestId": request_id,
            "totalTime": 1,
            "taker": str(taker) if taker else None,
        }
        if problem:
            code, text = problem
            body |= {"errorCode": code, "errorMessage": text, "error": text}
        return reply(body)

    async def _build(self, request: Request) -> Response:
        try:
            found, slippage_bps = self._quoted(request, _BUILD_SLIPPAGE_BPS)
            taker = _optional_key(request, "taker")
            if taker is None:
                raise BadRequestError("taker is required")
            tip = int(request.query_params.get("tipAmount", "0"))
        except (BadRequestError, NoRouteError, ValueError) as error:
            return reply({"error": str(error) or "No routes found"}, 400)
        swap = instructions(found, taker, slippage_bps)
        blockhash, last_height = self._chain.latest_blockhash()
        seconds = self._chain.ledger.head.unix_timestamp
        return reply(
            _quote_fields(found, slippage_bps)
            | {
                "computeBudgetInstructions": [_instruction(set_compute_unit_price(_UNIT_PRICE))],
                "setupInstructions": [_instruction(one) for one in swap.setup],
                "swapInstruction": _instruction(swap.swap),
                "cleanupInstruction": _instruction(swap.cleanup),
                "otherInstructions": [],
                "tipInstruction": _instruction(pay(taker, JITO_TIP_ACCOUNTS[0], tip)) if tip else None,
                "addressesByLookupTableAddress": None,
                "blockhashWithMetadata": {
                    "blockhash": list(bytes(blockhash)),
                    "lastValidBlockHeight": last_height,
                    "fetchedAt": {"secs_since_epoch": seconds, "nanos_since_epoch": 0},
                },
            }
        )

    async def _execute(self, request: Request) -> Response:
        try:
            body = orjson.loads(await request.body())
            order = self._orders.get(body["requestId"])
            transaction = VersionedTransaction.from_bytes(base64.b64decode(body["signedTransaction"], validate=True))
        except (ValueError, KeyError, TypeError):
            return reply({"error": "Invalid signed transaction", "code": _INVALID_TRANSACTION}, 400)
        if order is None:
            return reply({"error": "Order not found, it might have expired", "code": _NO_ORDER}, 400)
        signature = transaction.signatures[0]
        failed = {"status": "Failed", "signature": str(signature), "slot": "0"}
        try:
            self._chain.send(transaction)
        except RejectedTransactionError:
            return reply(failed | {"error": "Transaction not fully signed", "code": _NOT_SIGNED})
        record = await landed(self._chain, signature, order.last_height)
        if record is None:
            return reply(failed | {"error": "Failed to land", "code": _NOT_LANDED})
        return reply(_executed(record, order.quote))

    def _quoted(self, request: Request, automatic_bps: int) -> tuple[SwapQuote, int]:
        """Return the quote that a request asks for, and its tolerance in basis points."""
        source, target = _optional_key(request, "inputMint"), _optional_key(request, "outputMint")
        if source is None or target is None:
            raise BadRequestError("inputMint and outputMint are required")
        try:
            amount = int(request.query_params.get("amount", ""))
            slippage_bps = int(request.query_params.get("slippageBps", automatic_bps))
        except ValueError:
            raise BadRequestError("amount and slippageBps are integers") from None
        if not 0 <= slippage_bps <= 10_000:
            raise BadRequestError("slippageBps is between 0 and 10000")
        if request.query_params.get("swapMode", "ExactIn") != "ExactIn":
            raise BadRequestError("swapMode is ExactIn")
        return quote(self._chain, source, target, amount), slippage_bps

    def _problem(self, found: SwapQuote, taker: Pubkey) -> tuple[int, str] | None:
        """Return the error code and text of an order for which a wallet has not enough."""
        account = self._chain.account(taker)
        lamports = account.lamports if account else 0
        is_buy = found.input_mint == WRAPPED_SOL
        held = token_account(self._chain.account(token_address(taker, found.input_mint, TOKEN_2022)))
        if not is_buy and (held is None or held.amount < found.in_amount):
            return 1, "Insufficient funds"
        if lamports < (found.in_amount if is_buy else 0) + _RESERVE_LAMPORTS:
            return (1, "Insufficient funds") if is_buy else (2, "Top up SOL for gas")
        return None


def limited(handler: _Handler, limit: RateLimit) -> _Handler:
    """Return a handler that refuses requests above a rate, with Jupiter's headers on every reply."""

    async def handle(request: Request) -> Response:
        is_allowed, headers = limit.take()
        answered = await handler(request) if is_allowed else reply({"code": 429, "message": "Rate limit exceeded"}, 429)
        answered.headers.update(headers)
        return answered

    return handle


def _optional_key(request: Request, name: str) -> Pubkey | None:
    text = request.query_params.get(name)
    try:
        return Pubkey.from_string(text) if text else None
    except ValueError:
        raise BadRequestError(f"{name} is no address") from None


def _quote_fields(found: SwapQuote, slippage_bps: int) -> dict[str, Any]:
    return {
        "inputMint": str(found.input_mint),
        "outputMint": str(found.output_mint),
        "inAmount": str(found.in_amount),
        "outAmount": str(found.out_amount),
        "otherAmountThreshold": str(found.min_out(slippage_bps)),
        "swapMode": "ExactIn",
        "slippageBps": slippage_bps,
        "priceImpactPct": "0",
        "routePlan": route_plan(found),
    }


def _instruction(one: Instruction) -> Mapping[str, Any]:
    return {
        "programId": str(one.program_id),
        "accounts": [
            {"pubkey": str(meta.pubkey), "isSigner": meta.is_signer, "isWritable": meta.is_writable}
            for meta in one.accounts
        ],
        "data": base64.b64encode(bytes(one.data)).decode(),
    }


def _executed(record: TransactionRecord, quoted: SwapQuote) -> dict[str, Any]:
    """Return the reply for a transaction in a block; the output is what the wallet has more."""
    found = {"signature": str(record.signature), "slot": str(record.slot)}
    err = record.execution.err
    if err is not None:
        reason = err["InstructionError"][1] if isinstance(err, dict) and "InstructionError" in err else err
        code = reason["Custom"] if isinstance(reason, dict) and "Custom" in reason else -1002
        return found | {"status": "Failed", "error": f"Transaction failed: {reason}", "code": code}
    out = _received(record, quoted.output_mint)
    amounts = {"inputAmountResult": str(quoted.in_amount), "outputAmountResult": str(out)}
    event = {
        "inputMint": str(quoted.input_mint),
        "inputAmount": str(quoted.in_amount),
        "outputMint": str(quoted.output_mint),
        "outputAmount": str(out),
    }
    totals = {"totalInputAmount": str(quoted.in_amount), "totalOutputAmount": str(out)}
    return found | amounts | totals | {"status": "Success", "code": 0, "swapEvents": [event]}


def _received(record: TransactionRecord, mint: Pubkey) -> int:
    """Return the raw tokens, or the lamports without the fee, that the payer has more after a transaction."""
    before, after = record.execution.before, record.execution.after
    if mint == WRAPPED_SOL:
        return after.lamports[0] - before.lamports[0] + record.execution.fee
    payer = record.keys.all[0]
    had, has = (
        sum(one.amount for one in balances.tokens if one.owner == payer and one.mint == mint)
        for balances in (before, after)
    )
    return has - had
