"""Requests that a node refuses, with the cluster's own error codes; solders parses the errors."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.rpc import errors as messages
from solders.rpc.responses import GetTransactionResp, SendTransactionResp
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from memesnipe.localnet.node import Node
from memesnipe.localnet.rpc.methods import METHODS, answer
from tests.localnet.support import SOL, Client, encoded, funded, pay, signed, wallet

A, B = wallet(1), wallet(2)
KEY = str(A.pubkey())
BASE64 = {"encoding": "base64", "preflightCommitment": "processed"}
SKIP = {"encoding": "base64", "skipPreflight": True}
CHAIN = funded(A)


def send(client: Client, transaction: VersionedTransaction, **config: Any) -> Any:
    """Return the reply as solders parses it."""
    return SendTransactionResp.from_json(client.text("sendTransaction", encoded(transaction), {**BASE64, **config}))


def test_what_is_no_request_is_refused(client: Client) -> None:
    codes = {
        b"{": -32700,
        b"\xff": -32700,
        b"[]": -32600,
        b"7": -32600,
        b'{"jsonrpc":"2.0","id":1}': -32600,
        b'{"jsonrpc":"1.0","id":1,"method":"getSlot"}': -32600,
        b'{"jsonrpc":"2.0","id":1,"method":"getSlot","params":{}}': -32600,
        b'{"jsonrpc":"2.0","id":1,"method":"getSlot","other":1}': -32600,
        b'{"jsonrpc":"2.0","id":1,"method":"getSlots"}': -32601,
    }
    found = {body: client.post(body).json()["error"]["code"] for body in codes}
    assert found == codes
    assert client.post(b"[" + b" " * 60_000 + b"]").status_code == 413


def test_a_batch_is_answered_in_order(client: Client) -> None:
    requests = [{"jsonrpc": "2.0", "id": n, "method": method} for n, method in enumerate(("getHealth", "none"))]
    first, second = client.post(json.dumps(requests).encode()).json()
    assert (first["id"], first["result"]) == (0, "ok")
    assert (second["id"], second["error"]["code"]) == (1, -32601)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("getBalance", []),
        ("getBalance", ["x"]),
        ("getBalance", [1]),
        ("getBalance", [KEY, {}, 1]),
        ("getBalance", [KEY, {"commitment": "recent"}]),
        ("getBalance", [KEY, {"comitment": "confirmed"}]),
        ("getAccountInfo", [KEY, {"encoding": "base64+zstd"}]),
        ("getMultipleAccounts", [[KEY] * 101]),
        ("getMinimumBalanceForRentExemption", [-1]),
        ("isBlockhashValid", ["0"]),
        ("getRecentPerformanceSamples", [721]),
        ("getSignatureStatuses", [["1" * 64] * 257]),
        ("getSignaturesForAddress", [KEY, {"limit": 0}]),
        ("getTransaction", ["1" * 64, {"encoding": "jsonParsed"}]),
        ("getTokenSupply", [KEY]),
        ("requestAirdrop", [KEY, 0]),
        ("sendTransaction", ["@", {"encoding": "base64"}]),
        ("sendTransaction", ["0"]),
        ("sendTransaction", [base64.b64encode(bytes(1_233)).decode(), {"encoding": "base64"}]),
        ("sendTransaction", [base64.b64encode(b"\1" + bytes(70)).decode(), {"encoding": "base64"}]),
        ("simulateTransaction", ["1", {"sigVerify": True, "replaceRecentBlockhash": True}]),
    ],
)
def test_wrong_parameters_are_refused(method: str, parameters: list[Any]) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    text = answer(json.dumps(body).encode(), CHAIN).decode()
    assert json.loads(text)["error"]["code"] == -32602
    assert isinstance(GetTransactionResp.from_json(text), messages.InvalidParamsMessage)


def test_bytes_after_a_transaction_are_refused(node: Node, client: Client) -> None:
    transaction = signed(node.chain, A, pay(A, B.pubkey(), SOL))
    longer = base64.b64encode(bytes(transaction) + b"\0").decode()
    assert "trailing bytes" in client.error("sendTransaction", longer, BASE64)["message"]


def test_min_context_slot_is_waited_for(client: Client) -> None:
    found = client.error("getBalance", KEY, {"minContextSlot": 10**12})
    assert (found["code"], set(found["data"])) == (-32016, {"contextSlot"})


def test_a_failed_preflight_has_the_log(node: Node, client: Client) -> None:
    failing = signed(node.chain, A, pay(A, B.pubkey(), 11 * SOL))
    found = send(client, failing)
    assert isinstance(found, messages.SendTransactionPreflightFailureMessage)
    assert found.message == "Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1"
    assert (found.data.err.index, found.data.err.err.code) == (0, 1)
    assert "insufficient lamports" in found.data.logs[1]
    node.tick()
    assert node.chain.dropped == {}
    assert len(node.chain.history) == 0


@pytest.mark.parametrize(("commitment", "is_known"), [("processed", True), ("confirmed", False), ("finalized", False)])
def test_preflight_knows_blockhashes_of_its_commitment(
    node: Node, client: Client, commitment: str, is_known: bool
) -> None:
    node.tick()
    found = send(client, signed(node.chain, A, pay(A, B.pubkey(), SOL)), preflightCommitment=commitment)
    if is_known:
        assert isinstance(found, SendTransactionResp)
    else:
        assert found.message == "Transaction simulation failed: Blockhash not found"


def test_a_wrong_signature_is_refused_by_preflight_and_dropped_without(node: Node, client: Client) -> None:
    message = signed(node.chain, A, pay(A, B.pubkey(), SOL)).message
    wrong = VersionedTransaction.populate(message, [Signature.new_unique()])
    assert client.error("sendTransaction", encoded(wrong), BASE64)["code"] == -32003
    assert client.result("sendTransaction", encoded(wrong), SKIP) == str(wrong.signatures[0])
    assert node.chain.dropped == {"SignatureFailure": 1}


def test_an_expired_transaction_is_refused_by_preflight_and_dropped_without(node: Node, client: Client) -> None:
    expired = signed(node.chain, A, pay(A, B.pubkey(), SOL))
    node.tick(151)
    assert "Blockhash not found" in send(client, expired).message
    assert client.result("sendTransaction", encoded(expired), SKIP) == str(expired.signatures[0])
    node.tick()
    assert client.result("getSignatureStatuses", [str(expired.signatures[0])])["value"] == [None]
    assert node.chain.dropped == {"BlockhashNotFound": 1}


def test_without_preflight_a_transaction_lands_and_fails(node: Node, client: Client) -> None:
    failing = signed(node.chain, A, pay(A, B.pubkey(), 11 * SOL))
    client.result("sendTransaction", encoded(failing), SKIP)
    node.tick()
    (status,) = client.result("getSignatureStatuses", [str(failing.signatures[0])])["value"]
    assert status["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert status["status"] == {"Err": status["err"]}


def test_a_transaction_that_has_landed_is_refused(node: Node, client: Client) -> None:
    transaction = signed(node.chain, A, pay(A, B.pubkey(), SOL))
    send(client, transaction)
    node.tick()
    found = send(client, transaction)
    assert found.message == "Transaction simulation failed: This transaction has already been processed"
    assert client.error("sendTransaction", encoded(transaction), BASE64)["data"]["err"] == "AlreadyProcessed"


def test_an_old_status_is_found_by_searching(node: Node, client: Client) -> None:
    transaction = signed(node.chain, A, pay(A, B.pubkey(), SOL))
    send(client, transaction)
    node.tick(302)
    signatures = [str(transaction.signatures[0])]
    assert client.result("getSignatureStatuses", signatures)["value"] == [None]
    config = {"searchTransactionHistory": True}
    (status,) = client.result("getSignatureStatuses", signatures, config)["value"]
    assert (status["confirmationStatus"], status["confirmations"]) == ("finalized", None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20) | st.just(KEY),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@given(method=st.sampled_from(sorted(METHODS)), parameters=st.lists(_JSON, max_size=4))
def test_no_parameters_break_a_method(method: str, parameters: list[Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    reply = json.loads(answer(body, CHAIN))
    assert "result" in reply or reply["error"]["code"] in {-32700, -32602, -32600, -32016, -32002}


@given(st.binary(max_size=200))
def test_no_bytes_break_sending(data: bytes) -> None:
    parameters = [base64.b64encode(data).decode(), BASE64]
    body = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": parameters}
    assert json.loads(answer(json.dumps(body).encode(), CHAIN))["error"]["code"] in {-32602, -32002, -32003}
