"""The signer over HTTP: `POST /sign` for holders of the shared secret; the public key and the health for all."""

import base64
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

import memesnipe
from memesnipe.api.answers import Answer, answer_errors
from memesnipe.signer.intent import MAX_BODY_BYTES, parse_request
from memesnipe.signer.policy import Policy
from memesnipe.signer.rate_limit import RateLimit
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.service import Signer
from memesnipe.solana.request_mac import MacError, RequestVerifier

SIGN_PATH: Final = "/signer/sign"


@dataclass(frozen=True)
class Signing:
    """What signing over HTTP needs."""

    signer: Signer
    verifier: RequestVerifier
    limit: RateLimit


def create_signer_api(pubkey: str, signing: Signing | None = None, unavailable: str = "") -> FastAPI:
    """Return the application for one key.

    Args:
        pubkey: the wallet's address.
        signing: what signs; None refuses everything.
        unavailable: why there is none.
    """
    api = FastAPI(
        title="MemeSnipe signer",
        version=memesnipe.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )

    @api.get("/pubkey")
    def show_pubkey() -> dict[str, str]:
        """The public key, which is the wallet's address."""
        return {"pubkey": pubkey}

    @api.get("/health")
    def show_health() -> dict[str, Any]:
        """The signer is running; whether it signs, its limits of a bid, and its decisions since the start."""
        stopped = signing.signer.stopped() if signing else RefusedError(Reason.UNAVAILABLE, unavailable)
        return {
            "status": "healthy",
            "signing": str(stopped) if stopped else "on",
            "max_bid_lamports": _bid_limits(signing.signer.policy) if signing else None,
            "decisions": signing.signer.decisions if signing else {},
        }

    @api.post("/sign")
    async def sign(request: Request) -> Answer:
        """Sign a transaction that the policy allows."""
        if signing is None:
            return _refuse(403, Reason.UNAVAILABLE, unavailable)
        body = await _read_body(request)
        if body is None:
            return _refuse(413, "too_large", f"a body has {MAX_BODY_BYTES} bytes at most")
        return await run_in_threadpool(_sign, signing, dict(request.headers), body)

    answer_errors(api, str)
    return api


def _bid_limits(policy: Policy) -> dict[str, int]:
    return {"priority_fee": policy.fees.priority_fee, "tip": policy.fees.tip}


async def _read_body(request: Request) -> bytes | None:
    """Return the body; None if it is too long, of which the rest is not read."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return body


def _sign(signing: Signing, headers: dict[str, str], body: bytes) -> Answer:
    try:
        signing.verifier.check_mac("POST", SIGN_PATH, headers, body)
        if not signing.limit.allows():
            return _refuse(429, "rate_limit", "too many requests")
        signing.verifier.use_nonce(headers)
    except MacError as error:
        return _refuse(401, "unauthenticated", str(error))
    try:
        signed = signing.signer.sign(parse_request(body))
    except RefusedError as refusal:
        return _refuse(403, refusal.reason, refusal.detail)
    return Answer({"transaction": base64.b64encode(signed.transaction).decode(), "signature": signed.signature})


def _refuse(status: int, reason: str, detail: str) -> Answer:
    return Answer({"reason": str(reason), "detail": detail, "error": f"{reason}: {detail}"}, status_code=status)
