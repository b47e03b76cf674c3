"""The clients of Jupiter, Jito, Sender and the signer on real HTTP servers: recorded replies and real error shapes."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from memesnipe.solana.jito import MIN_TIP_LAMPORTS, JitoClient
from memesnipe.solana.jupiter import JupiterClient, JupiterQuote, TokenPrice
from memesnipe.solana.priority_fees import clamped, helius_estimate, recent_percentile
from memesnipe.solana.request_mac import compute_mac
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.sender import SenderClient
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.service_errors import RateLimitedError, RejectedError, UnreachableError
from memesnipe.solana.signer_client import PATH, Intent, RefusedBySignerError, SignedTransaction, SignerClient
from memesnipe.solana.swap_plan import NoRouteError, Swap, best_plan
from tests.solana.http_server import Reply, Request, error, result, serving

WIRE = Path(__file__).parents[2] / "../shared/data/wire/jupiter"
T = TypeVar("T")
WALLET, OTHER = Keypair.from_seed(bytes([1] * 32)), Keypair.from_seed(bytes([2] * 32))
MINT = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"
SOL = "So11111111111111111111111111111111111111112"
SECRET = b"a secret of the two sides, 32 characters"
SWAP = Swap("buy", MINT, 100_000_000, 150_000_000_000, 50)
INTENT = Intent("buy", MINT, 100, 90, 1_700_000_000_000)
recorded = pytest.mark.skipif(not WIRE.is_dir(), reason="the recorded replies are not here")


def asked(use: Callable[[Service], Awaitable[T]], url: str, headers: dict[str, str] | None = None) -> T:
    async def run() -> T:
        async with http_client(2.0) as client:
            return await use(Service(client, url, headers))

    return asyncio.run(run())


def message_of(payer: Keypair = WALLET) -> bytes:
    paid = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=OTHER.pubkey(), lamports=5))
    return to_bytes_versioned(MessageV0.try_compile(payer.pubkey(), [paid], [], Hash.default()))


def jupiter(service: Service) -> JupiterClient:
    return JupiterClient(service, WALLET.pubkey())


def build_reply(**changed: Any) -> dict[str, Any]:
    """Return a reply of `/swap/v2/build`, with the fields of its specification."""
    account = {"pubkey": str(WALLET.pubkey()), "isSigner": True, "isWritable": True}
    swap = {"programId": "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4", "accounts": [account], "data": "u2T6"}
    step = {"ammKey": "a", "label": "l", "inputMint": SOL, "outputMint": MINT, "inAmount": "1", "outAmount": "2"}
    return {
        "inputMint": SOL, "outputMint": MINT, "inAmount": "100000000", "outAmount": "181504770048",
        "otherAmountThreshold": "180597246198", "swapMode": "ExactIn", "slippageBps": 50, "priceImpactPct": "0",
        "routePlan": [{"swapInfo": step, "percent": 100, "bps": None}],
        "computeBudgetInstructions": [], "setupInstructions": [swap], "swapInstruction": swap,
        "cleanupInstruction": None, "otherInstructions": [], "tipInstruction": None,
        "addressesByLookupTableAddress": {str(OTHER.pubkey()): [MINT]},
    } | changed  # fmt: skip


@recorded
def test_recorded_prices_and_quotes_are_read() -> None:
    prices = json.loads((WIRE / "price_v3.json").read_text())["body"]
    with serving(Reply(prices)) as server:
        found = asked(lambda service: jupiter(service).prices([SOL, MINT]), server.url)
        assert found[MINT] == TokenPrice(4.492159735952627e-06, 5, 430_544_445, 1_195_149.2606265605)
        assert server.requests[0].path.startswith("/price/v3?ids=So111")
    for name in ("quote_sol_bonk", "quote_bonk_sol_reverse", "quote_v1_paid_host_candidate"):
        body = json.loads((WIRE / f"{name}.json").read_text())["body"]
        assert int(msgspec.convert(body, JupiterQuote).out_amount) > 0


def test_a_plan_has_the_instructions_in_order_and_their_tables() -> None:
    with serving(Reply(build_reply())) as server:
        plan = asked(lambda service: jupiter(service).plan(SWAP), server.url, {"x-api-key": "key"})
        assert (plan.expected_out, plan.min_out, len(plan.instructions)) == (181_504_770_048, 180_597_246_198, 2)
        assert plan.lookup_tables[0].key == OTHER.pubkey()
        (request,) = server.requests
        assert f"taker={WALLET.pubkey()}" in request.path
        assert f"outputMint={MINT}" in request.path
        assert request.headers["x-api-key"] == "key"


@pytest.mark.parametrize(
    "refusal",
    [{"error": "no route", "errorCode": "NO_ROUTES_FOUND"}, {"requestId": "r", "error": "Invalid outputMint"}],
)
def test_a_refusal_of_jupiter_is_no_route(refusal: dict[str, str]) -> None:
    with serving(Reply(refusal, 400)) as server, pytest.raises(NoRouteError, match=refusal["error"]):
        asked(lambda service: best_plan(SWAP, [jupiter(service)]), server.url)


def test_a_wrong_key_is_not_a_missing_route() -> None:
    with serving(Reply({"code": 401, "message": "Unauthorized"}, 401)) as server, pytest.raises(RejectedError):
        asked(lambda service: jupiter(service).plan(SWAP), server.url, {"x-api-key": "wrong-key"})


def test_a_plan_below_the_orders_minimum_is_not_used() -> None:
    reply = build_reply(otherAmountThreshold="149999999999")
    with serving(Reply(reply)) as server, pytest.raises(NoRouteError, match="150000000000 are required"):
        asked(lambda service: best_plan(SWAP, [jupiter(service)]), server.url)


def test_used_up_limits_are_honoured_before_the_next_refusal() -> None:
    import time

    headers = {"x-ratelimit-remaining": "-1", "x-ratelimit-reset": str(int(time.time()) + 50)}

    async def twice(service: Service) -> None:
        await service.get("/price/v3", {}, dict[str, TokenPrice])
        with pytest.raises(RateLimitedError):
            await service.get("/price/v3", {}, dict[str, TokenPrice])

    with serving(Reply({}, 200, headers)) as server:
        asked(twice, server.url)
        assert len(server.requests) == 1


def test_an_execution_is_sent_once() -> None:
    with serving(Reply(closes=True)) as server, pytest.raises(UnreachableError):
        asked(lambda service: jupiter(service).execute(b"tx", "r"), server.url)
    assert [one.json for one in server.requests] == [{"signedTransaction": "dHg=", "requestId": "r"}]


def test_jito_bundles_statuses_and_limits() -> None:
    async def use(service: Service) -> None:
        client = JitoClient(service, service)
        assert await client.send_bundle([b"tx"]) == "id"
        (status,) = await client.bundle_statuses(["id"])
        assert status is not None
        assert status.commitment == "confirmed"
        assert await client.inflight_statuses(["id"]) == [None]
        with pytest.raises(RateLimitedError):
            await client.tip_accounts()

    landed = {
        "bundle_id": "id",
        "transactions": ["s"],
        "slot": 7,
        "confirmationStatus": "confirmed",
        "err": {"Ok": None},
    }
    limited = error(-32097, "Network congested. Endpoint is globally rate limited.", status=429)
    script = (result("id"), result({"context": {"slot": 9}, "value": [landed]}), result(None), limited)
    with serving(*script) as server:
        asked(use, server.url)
        assert server.requests[0].path == "/api/v1/bundles"
        assert server.requests[0].json["params"] == [["dHg="], {"encoding": "base64"}]


@pytest.mark.parametrize(
    ("tip", "lamports"), [(1.4e-05, 14_000), (0, MIN_TIP_LAMPORTS), (1.5, None), (-1, None), ("x", None)]
)
def test_an_implausible_tip_is_refused(tip: Any, lamports: int | None) -> None:
    with serving(Reply([{"landed_tips_50th_percentile": tip}])) as server:
        if lamports is None:
            with pytest.raises(UnreachableError, match="implausible"):
                asked(lambda service: JitoClient(service, service).tip_floor_lamports(50), server.url)
        else:
            found = asked(lambda service: JitoClient(service, service).tip_floor_lamports(50), server.url)
            assert found == lamports


def test_sender_gets_the_transaction_without_preflight() -> None:
    with serving(result("sig")) as server:
        asked(lambda service: SenderClient(service, is_swqos_only=True).send(b"tx"), server.url)
        assert server.requests[0].path == "/fast?swqos_only=true"
        assert server.requests[0].json["params"][1] == {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}


def test_priority_fees() -> None:
    with serving(result({"priorityFeeEstimate": 10_082.5})) as server:
        assert asked(lambda service: helius_estimate(Rpc([service]), [MINT]), server.url) == 10_083
    rows = [{"slot": 1, "prioritizationFee": fee} for fee in (0, 5, 9, 100)]
    with serving(result(rows)) as server:
        assert asked(lambda service: recent_percentile(Rpc([service]), [MINT], 75), server.url) == 100
    assert clamped(50_000, 200_000, 100_000) == 50_000
    assert clamped(10**9, 200_000, 100_000) == 500_000


class Signer:
    """Answers as the signer does; the test says what is wrong with the reply."""

    def __init__(self, key: Keypair = WALLET, payer: Keypair | None = None) -> None:
        self.key, self.payer = key, payer

    def __call__(self, request: Request) -> Reply:
        headers = request.headers
        mac = compute_mac(SECRET, "POST", PATH, headers["x-timestamp"], headers["x-nonce"], request.body)
        if mac != headers["x-signature"]:
            return Reply({"reason": "unauthenticated", "detail": "the signature is wrong"}, 401)
        unsigned = VersionedTransaction.from_bytes(base64.b64decode(request.json["transaction"]))
        message = unsigned.message if self.payer is None else MessageV0.from_bytes(message_of(self.payer)[1:])
        transaction = VersionedTransaction(message, [self.key])
        encoded = base64.b64encode(bytes(transaction)).decode()
        return Reply({"transaction": encoded, "signature": str(transaction.signatures[0])})


def sign(url: str, secret: bytes = SECRET) -> SignedTransaction:
    return asked(lambda s: SignerClient(s, secret, WALLET.pubkey()).sign(message_of(), "live-s-1", INTENT), url)


def test_the_signer_signs_the_message() -> None:
    with serving(by=Signer()) as server:
        signed = sign(server.url)
        assert VersionedTransaction.from_bytes(signed.transaction).verify_with_results() == [True]
        (request,) = server.requests
        assert request.path == PATH
        assert request.json["order_id"] == "live-s-1"
        assert request.json["intent"] == msgspec.to_builtins(INTENT)


def test_another_transaction_than_the_message_is_never_taken() -> None:
    with serving(by=Signer(OTHER, payer=OTHER)) as server, pytest.raises(RefusedBySignerError, match="not the signed"):
        sign(server.url)


def test_refusals_end_an_order_and_silence_does_not() -> None:
    with serving(Reply({"reason": "spend_day"}, 403)) as server, pytest.raises(RefusedBySignerError, match="spend_day"):
        sign(server.url)
    with serving(Reply({"reason": "rpc", "detail": "no answer"}, 403)) as server, pytest.raises(UnreachableError):
        sign(server.url)
    with serving(Reply(closes=True)) as server, pytest.raises(UnreachableError):
        sign(server.url)
    with serving(by=Signer()) as server, pytest.raises(RejectedError, match="the signature is wrong") as caught:
        sign(server.url, b"another secret of at least 32 characters")
    assert "another secret" not in str(caught.value)
