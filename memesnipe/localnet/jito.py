"""A local Jito block engine: bundles, which land whole and in order or not at all, and single transactions with a tip.

It knows bundles that have not landed for five minutes, and those that have as long as the chain knows their
transactions, also over restarts of a chain with a journal. Source: ``jito-labs/jito-docs``. Sent transactions are not
simulated before, as there.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.errors import RejectedTransactionError
from memesnipe.localnet.http_replies import RateLimit, reply, rpc_error, rpc_result
from memesnipe.localnet.journal import BundleStep
from memesnipe.localnet.records import Commitment
from memesnipe.localnet.tips import add_tip_accounts, tip_lamports
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.solana.addresses import JITO_TIP_ACCOUNTS

MIN_TIP_LAMPORTS: Final = 1_000
MAX_BUNDLE: Final = 5
_MAX_IDS: Final = 5
_KNOWN_MS: Final = 300_000
_INVALID_PARAMS, _NO_METHOD, _RATE_LIMITED = -32602, -32601, -32097


class _ParamsError(Exception):
    """Parameters that the block engine refuses; the text says why."""


@dataclass(frozen=True, slots=True)
class _Bundle:
    signatures: Sequence[Signature]
    last_height: int
    slot: int  # in which it was accepted


class JitoServer:
    """The routes of a block engine.

    Args:
        chain: the chain.
        limit: of the rate of requests.
    """

    def __init__(self, chain: Chain, limit: RateLimit | None = None) -> None:
        self._chain, self._limit = chain, limit or RateLimit()
        add_tip_accounts(chain, JITO_TIP_ACCOUNTS)
        self._bundles: dict[str, _Bundle] = {}
        self._methods: dict[str, Callable[[Any], Any]] = {
            "sendBundle": self._send_bundle,
            "getBundleStatuses": self._statuses,
            "getInflightBundleStatuses": self._inflight,
            "getTipAccounts": lambda _: [str(key) for key in JITO_TIP_ACCOUNTS],
        }

    def routes(self) -> list[Route]:
        """Return the HTTP routes."""
        paths = ("bundles", *self._methods)
        return [
            *(Route(f"/api/v1/{path}", self._call, methods=["POST"]) for path in paths),
            Route("/api/v1/transactions", self._transaction, methods=["POST"]),
            Route("/api/v1/bundles/tip_floor", self._tip_floor),
        ]

    async def _call(self, request: Request) -> Response:
        body = orjson.loads(await request.body())
        request_id = body.get("id")
        if not self._limit.take()[0]:
            return rpc_error(request_id, _RATE_LIMITED, "Network congested. Endpoint is globally rate limited.", 429)
        method = self._methods.get(body.get("method"))
        if method is None:
            return rpc_error(request_id, _NO_METHOD, "Method not found")
        try:
            return rpc_result(request_id, method(body.get("params", [])))
        except _ParamsError as error:
            return rpc_error(request_id, _INVALID_PARAMS, str(error))

    async def _transaction(self, request: Request) -> Response:
        body = orjson.loads(await request.body())
        request_id = body.get("id")
        if not self._limit.take()[0]:
            return rpc_error(request_id, _RATE_LIMITED, "Network congested. Endpoint is globally rate limited.", 429)
        if body.get("method") != "sendTransaction":
            return rpc_error(request_id, _NO_METHOD, "Method not found")
        try:
            (transaction,) = _decoded([body["params"][0]])
            bundle_id = self._queue([transaction])
        except (_ParamsError, KeyError, IndexError, TypeError) as error:
            return rpc_error(request_id, _INVALID_PARAMS, str(error))
        return rpc_result(request_id, str(transaction.signatures[0]), {"x-bundle-id": bundle_id})

    async def _tip_floor(self, _: Request) -> Response:
        tips = self._chain.fees.tips()
        floor: dict[str, Any] = {
            f"landed_tips_{name}_percentile": lamports / LAMPORTS_PER_SOL for name, lamports in tips.items()
        }
        floor["time"] = "2026-11-01T00:00:00Z"
        floor["ema_landed_tips_50th_percentile"] = tips["50th"] / LAMPORTS_PER_SOL
        return reply([floor])

    def _send_bundle(self, params: Any) -> str:
        try:
            encoded = params[0]
            encoding = params[1].get("encoding") if len(params) > 1 else "base58"
        except (IndexError, TypeError, AttributeError):
            raise _ParamsError("Invalid params") from None
        if encoding != "base64":
            raise _ParamsError("the local block engine takes base64 only")
        if not 0 < len(encoded) <= MAX_BUNDLE:
            raise _ParamsError(f"a bundle has 1 to {MAX_BUNDLE} transactions")
        return self._queue(_decoded(encoded))

    def _queue(self, transactions: Sequence[VersionedTransaction]) -> str:
        tip = sum(tip_lamports(one, JITO_TIP_ACCOUNTS) for one in transactions)
        if tip < MIN_TIP_LAMPORTS:
            raise _ParamsError("Bundles must write lock at least one tip account, and pay at least 1000 lamports")
        try:
            signatures = self._chain.send_bundle(transactions)
        except RejectedTransactionError as error:
            raise _ParamsError(f"transaction is invalid: {error}") from None
        if self._chain.journal is not None:
            self._chain.journal.bundle(BundleStep(self._chain.slot, signatures))
        return self.remember(signatures, self._chain.slot)

    def remember(self, signatures: Sequence[Signature], slot: int) -> str:
        """Know a bundle from now on; return its id.

        Args:
            signatures: the first of each of its transactions.
            slot: in which it was accepted.
        """
        bundle_id = sha256(",".join(str(one) for one in signatures).encode()).hexdigest()
        self._bundles[bundle_id] = _Bundle(signatures, self._chain.latest_blockhash()[1], slot)
        return bundle_id

    def _statuses(self, params: Any) -> dict[str, Any]:
        found = [self._status(bundle_id) for bundle_id in _ids(params)]
        return {"context": {"slot": self._chain.slot}, "value": found}

    def _status(self, bundle_id: str) -> dict[str, Any] | None:
        """Return the status of a bundle that has landed; None for any other."""
        slot = self._landed_slot(bundle_id)
        if slot is None:
            return None
        commitment: Commitment = "processed"
        names: tuple[Commitment, Commitment] = ("confirmed", "finalized")
        for name in names:
            if self._chain.ledger.block(name).slot >= slot:
                commitment = name
        return {
            "bundle_id": bundle_id,
            "transactions": [str(one) for one in self._bundles[bundle_id].signatures],
            "slot": slot,
            "confirmation_status": commitment,
            "err": {"Ok": None},
        }

    def _inflight(self, params: Any) -> dict[str, Any]:
        found = []
        for bundle_id in _ids(params):
            bundle, slot = self._bundles.get(bundle_id), self._landed_slot(bundle_id)
            status = "Landed" if slot is not None else "Pending"
            if bundle is None or self._is_old(bundle):
                status, slot = "Invalid", None
            elif slot is None and self._chain.ledger.head.height > bundle.last_height:
                status = "Failed"
            found.append({"bundle_id": bundle_id, "status": status, "landed_slot": slot})
        return {"context": {"slot": self._chain.slot}, "value": found}

    def _is_old(self, bundle: _Bundle) -> bool:
        """Return whether a bundle was accepted more than five minutes ago, by the clock of the chain."""
        return (self._chain.slot - bundle.slot) * self._chain.slot_ms > _KNOWN_MS

    def _landed_slot(self, bundle_id: str) -> int | None:
        bundle = self._bundles.get(bundle_id)
        record = self._chain.history.get(bundle.signatures[0]) if bundle else None
        return record.slot if record else None


def _ids(params: Any) -> list[str]:
    try:
        found = [str(one) for one in params[0]]
    except (IndexError, TypeError):
        raise _ParamsError("Invalid params") from None
    if len(found) > _MAX_IDS:
        raise _ParamsError(f"at most {_MAX_IDS} bundle ids")
    return found


def _decoded(encoded: Sequence[str]) -> list[VersionedTransaction]:
    try:
        return [VersionedTransaction.from_bytes(base64.b64decode(one, validate=True)) for one in encoded]
    except (ValueError, TypeError):
        raise _ParamsError("transaction could not be decoded") from None
