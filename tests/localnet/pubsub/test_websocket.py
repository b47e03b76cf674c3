"""The websocket: subscriptions at each commitment, parsed by solders; refusals; forks; slow readers."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from solders.rpc.responses import parse_websocket_message
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from memesnipe.localnet.node import Node
from tests.localnet.support import SOL, funded, pay, signed, wallet

A, B, C = wallet(1), wallet(2), wallet(3)


@pytest.fixture
def node() -> Iterator[Node]:
    with Node(funded(A, finalized_after=3), is_paced=False) as made:
        yield made


@pytest.fixture
def client(node: Node) -> Iterator[ClientConnection]:
    with connect(node.websocket_url, proxy=None) as connection:
        yield connection


def ask(client: ClientConnection, method: str, *parameters: Any) -> dict[str, Any]:
    """Return the reply to a request."""
    client.send(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(parameters)}))
    reply = json.loads(client.recv(10))
    assert reply["id"] == 7
    return dict(reply)


def notified(client: ClientConnection) -> Any:
    """Return the next notification as solders parses it."""
    (message,) = parse_websocket_message(client.recv(10))
    return message


def send(node: Node, *instructions: Any) -> str:
    return str(node.call(lambda: node.chain.send(signed(node.chain, A, *instructions))))


def level(commitment: str) -> dict[str, str]:
    return {"commitment": commitment}


def test_slots(node: Node, client: ClientConnection) -> None:
    number = ask(client, "slotSubscribe")["result"]
    node.tick(5)
    messages = [notified(client) for _ in range(5)]
    assert {message.subscription for message in messages} == {number}
    slots = [message.result for message in messages]
    assert [one.slot - one.parent for one in slots] == [1] * 5
    assert [one.slot - one.root for one in slots] == [1, 2, 3, 3, 3]


def test_logs_of_everything_and_of_one_account(node: Node, client: ClientConnection) -> None:
    every = ask(client, "logsSubscribe", "all", level("processed"))["result"]
    one = ask(client, "logsSubscribe", {"mentions": [str(C.pubkey())]}, level("processed"))["result"]
    first, second = send(node, pay(A, B.pubkey(), 11 * SOL)), send(node, pay(A, C.pubkey(), SOL))
    node.tick()
    messages = [notified(client) for _ in range(3)]
    found = [(message.subscription, str(message.result.value.signature)) for message in messages]
    assert sorted(found) == sorted([(every, first), (every, second), (one, second)])
    failed = next(message.result.value for message in messages if str(message.result.value.signature) == first)
    assert failed.err.err.code == 1
    assert "insufficient lamports" in failed.logs[1]


@pytest.mark.parametrize(("commitment", "ticks"), [("processed", 1), ("confirmed", 2), ("finalized", 4)])
def test_a_signature_is_notified_once_at_its_commitment(
    node: Node, client: ClientConnection, commitment: str, ticks: int
) -> None:
    signature = send(node, pay(A, B.pubkey(), SOL))
    ask(client, "slotSubscribe")
    number = ask(client, "signatureSubscribe", signature, level(commitment))["result"]
    node.tick(6)
    kinds = [type(notified(client)).__name__ for _ in range(7)]
    assert kinds.index("SignatureNotification") == ticks
    assert ask(client, "signatureUnsubscribe", number)["error"]["code"] == -32602  # it is over
    ask(client, "signatureSubscribe", signature, level(commitment))
    assert notified(client).result.value.err is None  # known already


def test_an_account_is_notified_when_it_changes(node: Node, client: ClientConnection) -> None:
    config = {"encoding": "base64", **level("confirmed")}
    ask(client, "accountSubscribe", str(B.pubkey()), config)
    send(node, pay(A, B.pubkey(), SOL))
    node.tick(3)
    send(node, pay(A, B.pubkey(), SOL))
    node.tick(2)
    assert [notified(client).result.value.lamports for _ in range(2)] == [SOL, 2 * SOL]


def test_unsubscribing_ends_notifications(node: Node, client: ClientConnection) -> None:
    number = ask(client, "logsSubscribe", "all", level("processed"))["result"]
    assert ask(client, "logsUnsubscribe", number)["result"] is True
    assert ask(client, "logsUnsubscribe", number)["error"]["code"] == -32602
    send(node, pay(A, B.pubkey(), SOL))
    node.tick()
    assert ask(client, "slotSubscribe")["result"] > number  # the next frame is its reply


def test_subscriptions_end_with_the_connection(node: Node) -> None:
    with connect(node.websocket_url, proxy=None) as client:
        ask(client, "slotSubscribe")
        assert node.call(lambda: len(node.pubsub.publisher)) == 1
    _wait(lambda: node.call(lambda: len(node.pubsub.publisher)) == 0)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("{", -32700),
        ("7", -32600),
        ('{"jsonrpc":"2.0","id":1,"method":"getSlot"}', -32601),
        ('{"jsonrpc":"2.0","id":1,"method":"logsSubscribe","params":["none"]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"logsSubscribe","params":[{"mentions":[]}]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"signatureSubscribe","params":["x"]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"slotUnsubscribe","params":["1"]}', -32602),
    ],
)
def test_wrong_requests_are_refused(client: ClientConnection, request_: str, code: int) -> None:
    client.send(request_)
    assert json.loads(client.recv(10))["error"]["code"] == code


def test_the_blocks_of_the_next_fork_are_told(node: Node, client: ClientConnection) -> None:
    ask(client, "logsSubscribe", "all", level("processed"))
    ask(client, "logsSubscribe", "all", level("confirmed"))
    lost = send(node, pay(A, B.pubkey(), SOL))
    node.tick()
    node.call(lambda: node.chain.roll_back(1))
    kept = send(node, pay(A, C.pubkey(), SOL))
    node.tick(2)
    assert [str(notified(client).result.value.signature) for _ in range(3)] == [lost, kept, kept]


def test_a_client_that_does_not_read_is_cut() -> None:
    with Node(funded(A, finalized_after=3), is_paced=False, queue=1_000) as node:
        host, port = node.websocket_url.removeprefix("ws://").split(":")
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.connect((host, int(port)))
        with (
            connect(node.websocket_url, proxy=None) as reader,
            connect(node.websocket_url, sock=raw, proxy=None) as idle,
        ):
            ask(reader, "slotSubscribe")
            for _ in range(500):
                ask(idle, "slotSubscribe")
            with idle.protocol_mutex:  # its thread takes nothing more from the socket
                _wait(lambda: node.pubsub.counts["slow clients cut"] > 0, lambda: (node.tick(), reader.recv(10)))
            with pytest.raises(ConnectionClosed):
                while True:
                    idle.recv(10)
            node.tick()
            assert "SlotNotification" in type(notified(reader)).__name__


def _wait(condition: Callable[[], bool], step: Callable[[], object] = lambda: None) -> None:
    """Wait for a condition."""
    for _ in range(10_000):
        if condition():
            return
        step()
    raise AssertionError("it did not happen")
