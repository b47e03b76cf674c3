"""The signer's questions to a node, over real HTTP: only complete and well-formed answers count."""

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain as chained
from itertools import count, repeat
from threading import Thread
from typing import Any, ClassVar

import pytest
from solders.hash import Hash
from solders.pubkey import Pubkey

from memesnipe.signer.chain import Account
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rpc import RpcChain
from memesnipe.solana.addresses import SYSTEM

TABLE_PROGRAM = "AddressLookupTab1e1111111111111111111111111"
KEY, OTHER = Pubkey(bytes([1]) * 32), Pubkey(bytes([2]) * 32)
API_KEY = "key-of-the-node"


class Node(BaseHTTPRequestHandler):
    """Answers each method with what a test has set: a result's value, or bytes."""

    answers: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[dict[str, Any]]] = []
    batches_refused: ClassVar[list[list[dict[str, Any]]]] = []
    slots: ClassVar[Iterator[int]]  # of the answers
    to_batches: ClassVar[tuple[int, bytes] | None] = None  # status and answer to every batch; None: they are answered

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if isinstance(request, list) and self.to_batches is not None:
            self.batches_refused.append(request)
            self.reply(*self.to_batches)
            return
        requests = request if isinstance(request, list) else [request]
        self.asked.extend(requests)
        values = [self.answers[one["method"]] for one in requests]
        answers = [
            {"jsonrpc": "2.0", "id": one["id"], "result": {"context": {"slot": next(self.slots)}, "value": value}}
            for one, value in zip(requests, values, strict=True)
            if not isinstance(value, bytes)
        ]
        content = next((value for value in values if isinstance(value, bytes)), b"")
        content = content or json.dumps(answers if isinstance(request, list) else answers[0]).encode()
        self.reply(500 if content == b"500" else 200, content)

    def reply(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def chain() -> Iterator[RpcChain]:
    Node.answers, Node.asked, Node.slots = {}, [], repeat(7)
    Node.to_batches, Node.batches_refused = None, []
    with HTTPServer(("127.0.0.1", 0), Node) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        chain = RpcChain(f"http://127.0.0.1:{server.server_port}/?api-key={API_KEY}")
        yield chain
        chain.close()
        server.shutdown()
        thread.join()


def account(data: bytes, owner: str = TABLE_PROGRAM, lamports: int = 5) -> dict[str, Any]:
    return {
        "lamports": lamports,
        "owner": owner,
        "data": [base64.b64encode(data).decode(), "base64"],
        "executable": False,
    }


def table(addresses: list[Pubkey], deactivation_slot: int = 2**64 - 1) -> bytes:
    """Return a lookup table, as the program stores it: 56 bytes, then the addresses."""
    head = (
        (1).to_bytes(4, "little") + deactivation_slot.to_bytes(8, "little") + bytes(8) + b"\0" + b"\0" + bytes(32 + 2)
    )
    return head + b"".join(map(bytes, addresses))


def refusal(chain: RpcChain) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        chain.lookup_table(KEY)
    assert API_KEY not in str(caught.value)
    return caught.value


def test_a_lookup_table_is_read(chain: RpcChain) -> None:
    Node.answers["getMultipleAccounts"] = [account(table([OTHER, KEY]))]
    assert chain.lookup_table(KEY) == [OTHER, KEY]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([None], Reason.LOOKUP_TABLE),
        ([account(table([OTHER]), owner=str(OTHER))], Reason.LOOKUP_TABLE),
        ([account(table([OTHER], deactivation_slot=7))], Reason.LOOKUP_TABLE),
        ([account(table([OTHER])[:40])], Reason.LOOKUP_TABLE),
        ([account(b"")], Reason.LOOKUP_TABLE),
        ([], Reason.RPC),
        ([account(b""), None], Reason.RPC),
        ([{"lamports": 1}], Reason.RPC),
        ([account(b"", lamports=-1)], Reason.RPC),
        (None, Reason.RPC),
        (b"no JSON", Reason.RPC),
        (b"500", Reason.RPC),
        (b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "behind"}}', Reason.RPC),
        (b"[" * 100_000, Reason.RPC),
    ],
)
def test_everything_else_is_refused(chain: RpcChain, value: Any, reason: Reason) -> None:
    Node.answers["getMultipleAccounts"] = value
    assert refusal(chain).reason is reason


def test_a_node_that_is_away_refuses(chain: RpcChain) -> None:
    away = RpcChain(f"http://127.0.0.1:1/?api-key={API_KEY}")
    assert refusal(away).reason is Reason.RPC
    away.close()


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False)])
def test_the_blockhash_is_checked(chain: RpcChain, value: bool, expected: bool) -> None:
    Node.answers["isBlockhashValid"] = value
    assert chain.is_blockhash_valid(Hash.default()) is expected
    Node.answers["isBlockhashValid"] = "yes"
    with pytest.raises(RefusedError, match="not a boolean"):
        chain.is_blockhash_valid(Hash.default())


def test_a_simulation_has_accounts_before_and_after(chain: RpcChain) -> None:
    Node.answers["getMultipleAccounts"] = [account(b"a", str(OTHER), 10), None]
    Node.answers["simulateTransaction"] = {
        "err": None,
        "logs": [],
        "accounts": [account(b"b", str(OTHER), 9), account(b"", str(OTHER), 1)],
    }
    ran = chain.simulate(b"transaction", [KEY, OTHER])
    assert ran.before == {KEY: Account(10, OTHER, b"a")}
    assert ran.after == {KEY: Account(9, OTHER, b"b"), OTHER: Account(1, OTHER, b"")}
    content, options = Node.asked[-1]["params"]
    assert base64.b64decode(content) == b"transaction"
    assert (options["sigVerify"], options["replaceRecentBlockhash"]) == (False, False)
    assert options["accounts"]["addresses"] == [str(KEY), str(OTHER)]


def test_accounts_and_simulation_are_of_the_same_block(chain: RpcChain) -> None:
    Node.answers["getMultipleAccounts"] = [None]
    Node.answers["simulateTransaction"] = {"err": None, "logs": [], "accounts": [account(b"b", str(OTHER), 9)]}
    Node.slots = chained([1, 2, 2, 3], repeat(3))
    assert chain.simulate(b"transaction", [KEY]).after == {KEY: Account(9, OTHER, b"b")}
    assert len(Node.asked) == 6
    Node.slots = count()
    with pytest.raises(RefusedError, match="the node moves on") as caught:
        chain.simulate(b"transaction", [KEY])
    assert caught.value.reason is Reason.RPC


NO_BATCHES = b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "batches are not supported"}}'


@pytest.mark.parametrize("refusal", [(200, NO_BATCHES), (400, NO_BATCHES), (413, b"too large"), (405, b"")])
def test_a_node_that_refuses_batches_is_asked_one_after_the_other(chain: RpcChain, refusal: tuple[int, bytes]) -> None:
    Node.to_batches = refusal
    Node.answers["getMultipleAccounts"] = [None]
    Node.answers["simulateTransaction"] = {"err": None, "logs": [], "accounts": [account(b"b", str(OTHER), 9)]}
    for _ in range(2):
        assert chain.simulate(b"transaction", [KEY]).after == {KEY: Account(9, OTHER, b"b")}
    assert len(Node.batches_refused) == 1, "it is not asked for a batch again"
    first, second = (one["params"][-1] for one in Node.asked[:2])
    assert ("minContextSlot" in first, second["minContextSlot"]) == (False, 7)


def test_single_answers_of_different_blocks_are_refused(chain: RpcChain) -> None:
    Node.to_batches = (200, NO_BATCHES)
    Node.answers["getMultipleAccounts"] = [None]
    Node.answers["simulateTransaction"] = {"err": None, "logs": [], "accounts": [account(b"b", str(OTHER), 9)]}
    Node.slots = chained([1, 2, 3, 3], count(4))
    assert chain.simulate(b"transaction", [KEY]).before == {}
    with pytest.raises(RefusedError, match="the node moves on"):
        chain.simulate(b"transaction", [KEY])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_node_that_fails_has_not_refused_batches(chain: RpcChain, status: int) -> None:
    Node.to_batches = (status, b"{}")
    for _ in range(2):
        with pytest.raises(RefusedError) as caught:
            chain.simulate(b"transaction", [KEY])
        assert caught.value.reason is Reason.RPC
    assert len(Node.batches_refused) == 2
    assert Node.asked == []


@pytest.mark.parametrize("value", [{"err": None}, {"err": None, "accounts": []}, {"accounts": [None, None]}, None, []])
def test_an_incomplete_simulation_is_refused(chain: RpcChain, value: Any) -> None:
    Node.answers["getMultipleAccounts"] = [None, None]
    Node.answers["simulateTransaction"] = value
    with pytest.raises(RefusedError) as caught:
        chain.simulate(b"transaction", [KEY, OTHER])
    assert caught.value.reason is Reason.RPC


def test_an_account_that_the_simulation_closes_does_not_exist_afterwards(chain: RpcChain) -> None:
    Node.answers["getMultipleAccounts"] = [account(b"a", str(OTHER), 10), None]
    closed = [account(b"", str(SYSTEM), 0), account(b"", str(SYSTEM), 0)]
    Node.answers["simulateTransaction"] = {"err": None, "logs": [], "accounts": closed}
    assert chain.simulate(b"transaction", [KEY, OTHER]).after == {}


def test_a_failed_simulation_says_its_error(chain: RpcChain) -> None:
    Node.answers["getMultipleAccounts"] = [None]
    Node.answers["simulateTransaction"] = {
        "err": {"InstructionError": [2, {"Custom": 6002}]},
        "logs": [],
        "accounts": None,
    }
    assert "6002" in chain.simulate(b"transaction", [KEY]).error
