"""The signer over HTTP, on a real server: who may ask, what is signed once, and that no secret ever leaves it."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from memesnipe.halt_file import allow_exits, halt
from memesnipe.signer.app import SIGN_PATH, create_signer_api
from memesnipe.signer.audit import verify_audit
from memesnipe.signer.intent import MAX_BODY_BYTES
from memesnipe.signer.policy import Policy
from memesnipe.solana.request_mac import sign_headers
from tests.signer.conftest import SteppedClock, files_in
from tests.signer.fakes import buy_transaction, request_body
from tests.signer.served import MINT, SECRET, Served, serving


@pytest.fixture
def keypair() -> Keypair:
    return Keypair()


@pytest.fixture
def serve(tmp_path: Path, policy: Policy, clock: SteppedClock, keypair: Keypair) -> Iterator[Callable[[], Served]]:
    running: list[Served] = []

    def start() -> Served:
        for old in running:
            old.stop()
        running[:] = [Served(tmp_path, policy, clock, keypair)]
        return running[0]

    yield start
    for served in running:
        served.stop()


@pytest.fixture
def served(serve: Callable[[], Served]) -> Served:
    return serve()


def test_a_purchase_is_signed_recorded_and_counted(served: Served, keypair: Keypair) -> None:
    answer = served.buy(1)
    assert answer.status_code == 200, answer.text
    signed = VersionedTransaction.from_bytes(base64.b64decode(answer.json()["transaction"]))
    assert signed.verify_with_results() == [True]
    assert str(signed.signatures[0]) == answer.json()["signature"]
    entry = served.entries()[-1]
    assert (entry["decision"], entry["order_id"], entry["side"]) == ("signed", "order-1", "buy")
    assert entry["lamports"] == 1_000_000 + 5_000 + 10_000 + 2_001  # swap, signature, tip, priority
    assert served.book.spent(is_exit=False, since_ms=0) == entry["lamports"]
    assert served.client.get("/health").json() == {
        "status": "healthy", "signing": "on", "decisions": {"signed": 1},
        "max_bid_lamports": {"priority_fee": 1_000_000, "tip": 1_000_000},
    }  # fmt: skip
    assert served.client.get("/pubkey").json() == {"pubkey": str(keypair.pubkey())}


def test_the_same_message_is_counted_once_also_after_a_restart(serve: Callable[[], Served]) -> None:
    served = serve()
    first = served.buy(1).json()
    assert served.buy(1).json() == first
    served = serve()
    served.chain.is_down = True
    assert served.buy(1).json() == first
    assert served.book.spent(is_exit=False, since_ms=0) == served.entries()[0]["lamports"]
    assert [entry.get("repeated", False) for entry in served.entries()] == [False, True, True]


def test_another_transaction_of_an_order_is_refused(served: Served) -> None:
    assert served.buy(1).status_code == 200
    intent = {"side": "buy", "mint": str(MINT), "max_in": 10**6, "min_out": 900, "decided_ms": served.clock.now_ms()}
    answer = served.post(request_body(buy_transaction(served.keypair, MINT, salt=2), "order-1", intent))
    assert (answer.status_code, answer.json()["reason"]) == (403, "order_signed")


def test_a_request_is_accepted_once_also_after_a_restart(serve: Callable[[], Served]) -> None:
    served = serve()
    body = b"{}"
    headers = sign_headers(SECRET, "POST", SIGN_PATH, body, served.clock)
    assert served.post(body, headers).status_code == 403
    assert served.post(body, headers).json()["detail"] == "the request was sent before"
    assert serve().post(body, headers).status_code == 401


@pytest.mark.parametrize("secret", [b"another", SECRET + b"x"])
def test_others_are_refused_and_nothing_is_recorded(served: Served, secret: bytes) -> None:
    body = b"{}"
    assert served.post(body, sign_headers(secret, "POST", SIGN_PATH, body, served.clock)).status_code == 401
    assert served.client.post("/sign", content=body).status_code == 401
    assert served.post(body, sign_headers(SECRET, "POST", "/sign", body, served.clock)).status_code == 401
    assert served.entries() == []


def test_the_kill_switch_stops_at_once_and_also_repeats(served: Served) -> None:
    assert served.buy(1).status_code == 200
    served.halt.touch()
    for number in (1, 2):
        assert served.buy(number).json()["reason"] == "halted"
    assert served.client.get("/health").json()["signing"].startswith("halted")
    served.halt.unlink()
    assert served.buy(2).status_code == 200


def test_where_exits_are_allowed_sales_are_signed_and_purchases_are_not(served: Served) -> None:
    assert served.buy(1).status_code == 200
    halt(served.halt)
    assert served.sell(2).json()["reason"] == "halted"
    allow_exits(served.halt)
    assert served.sell(2).status_code == 200
    assert served.sell(2).status_code == 200, "the same again"
    for number in (1, 3):  # a repeat of what was signed before the halt, and a new one
        assert served.buy(number).json()["reason"] == "halted"
        assert served.buy(number, side="sell").json()["reason"] in ("halted", "intent")
    assert "purchases are halted" in served.client.get("/health").json()["signing"]


def test_a_halt_during_the_simulation_counts(served: Served) -> None:
    simulate = served.chain.simulate

    def halting(*given: Any) -> Any:
        served.halt.touch()
        return simulate(*given)

    served.chain.simulate = halting  # type: ignore[method-assign]
    assert served.buy(1).json()["reason"] == "halted"
    assert served.book.spent(is_exit=False, since_ms=0) == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"side": "sell"}, "intent"),
        ({"max_in": 999_999}, "intent"),
        ({"min_out": 901}, "intent"),
        ({"mint": str(Pubkey.default())}, "intent"),
        ({"decided_ms": 0}, "stale"),
        ({"decided_ms": 10**14}, "stale"),
        ({"max_in": "1000000"}, "malformed"),
        ({"extra": 1}, "malformed"),
    ],
)
def test_an_intent_that_the_transaction_does_not_match_is_refused(
    served: Served, changes: dict[str, Any], reason: str
) -> None:
    answer = served.buy(1, **changes)
    assert (answer.status_code, answer.json()["reason"]) == (403, reason)


def test_without_a_node_nothing_is_signed(served: Served) -> None:
    served.chain.is_down = True
    assert served.buy(1).json()["reason"] == "rpc"
    served.chain.is_down = False
    served.chain.is_valid = False
    assert served.buy(1).json()["reason"] == "blockhash"
    served.chain.is_valid = True
    served.chain.cost = 10**9
    assert served.buy(1).json()["reason"] == "balance"
    served.chain.cost = 10**6
    served.chain.gives = 899
    assert served.buy(1).json()["reason"] == "balance"


def test_a_defect_refuses_without_its_text(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("a text with anything in it")

    served.chain.simulate = fail  # type: ignore[method-assign]
    answer = served.buy(1)
    assert (answer.status_code, answer.json()["detail"]) == (403, "internal error: RuntimeError")
    assert "anything in it" not in answer.text + caplog.text + json.dumps(served.entries())


def test_without_an_audit_log_nothing_is_signed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("memesnipe.signer.audit.os.fsync", fail)
        answer = served.buy(1)
    assert (answer.status_code, answer.json()["reason"]) == (403, "unavailable")
    assert "transaction" not in answer.json()


def test_requests_are_limited_in_rate_and_size(served: Served, policy: Policy) -> None:
    codes = [served.post(b"{}").status_code for _ in range(policy.requests.burst + 5)]
    assert codes == [403] * policy.requests.burst + [429] * 5
    served.clock.sleep(1)
    assert served.post(b"{}").status_code == 403
    assert served.post(b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    chunks = (b"x" * 1_000 for _ in range(20))
    assert served.client.post("/sign", content=chunks).status_code == 413


def test_spending_limits_refuse_purchases(served: Served, policy: Policy) -> None:
    limit = policy.spend.per_hour
    accepted = 0
    while (answer := served.buy(accepted)).status_code == 200:
        accepted += 1
        served.clock.sleep(1)
        assert accepted < 200
    assert answer.json()["reason"] == "spend_hour"
    cost = served.entries()[0]["lamports"]
    assert limit - cost < served.book.spent(is_exit=False, since_ms=0) <= limit
    assert verify_audit(served.folder / "audit.jsonl").entries == accepted + 1


def test_a_signer_that_is_unavailable_says_why() -> None:
    with serving(create_signer_api("Key", unavailable="the audit log was changed")) as client:
        assert client.post("/sign").json()["reason"] == "unavailable"
        assert client.get("/health").json()["signing"] == "unavailable: the audit log was changed"


def test_the_secret_is_nowhere_in_what_the_signer_emits(
    served: Served, keypair: Keypair, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    seen = [
        served.buy(1),
        served.buy(2, side="sell"),
        served.post(b"{}"),
        served.post(b"\xff", {}),
        served.client.get("/nowhere"),
    ]
    seen += [served.client.get("/health"), served.client.get("/pubkey"), served.client.get("/sign")]
    served.chain.is_down = True
    seen += [served.buy(3)]
    served.chain.simulate = lambda *_: 1 / 0  # type: ignore[assignment, return-value, method-assign]
    served.chain.is_down = False
    seen += [served.buy(4)]
    captured = capfd.readouterr()
    emitted = b"".join(answer.content + str(answer.headers).encode() for answer in seen)
    emitted += (caplog.text + captured.out + captured.err).encode() + files_in(served.folder)
    emitted += (
        repr(vars(served)).encode()
        + repr([vars(value) for value in vars(served).values() if hasattr(value, "__dict__")]).encode()
    )
    assert str(keypair.pubkey()).encode() in emitted, "the search looks at the right place"
    for name, secret in encodings(keypair).items():
        assert secret not in emitted, name
    assert SECRET not in emitted


def encodings(keypair: Keypair) -> dict[str, bytes]:
    """Return the secret as it could be written."""
    whole, seed = bytes(keypair), keypair.secret()
    found = {"base58": str(keypair).encode(), "raw": seed}
    for name, value in (("keypair", whole), ("seed", seed)):
        found |= {
            f"{name} hex": value.hex().encode(),
            f"{name} HEX": value.hex().upper().encode(),
            f"{name} base64": base64.b64encode(value)[:40],
            f"{name} array": ", ".join(map(str, value))[:100].encode(),
            f"{name} dense array": ",".join(map(str, value))[:100].encode(),
            f"{name} repr": repr(value)[2:60].encode(),
        }
    return found
