"""Requests to a node: what it answers, how it fails, and how often it is asked."""

from collections.abc import Iterator

import pytest

from memesnipe.feeds.retry import RATE_LIMIT_WAIT_S, SourceError
from memesnipe.feeds.rpc import INTERVAL_S, RpcClient, RpcError
from memesnipe.testing.rpc_server import RpcFailureError, RpcServer

KEY = "hunter2secret"


def fail(code: int) -> RpcServer:
    def failing(*_: object) -> None:
        raise RpcFailureError(code, f"see https://node.example.org/?api-key={KEY}")

    return RpcServer(ask=failing)


@pytest.fixture
def server() -> Iterator[RpcServer]:
    with RpcServer(double=lambda number: 2 * number, nothing=lambda: None) as one:
        yield one


def client_of(server: RpcServer) -> RpcClient:
    return RpcClient(f"{server.url}?api-key={KEY}", read_s=5.0)


def test_results_are_returned(server: RpcServer) -> None:
    client = client_of(server)
    with client.opened():
        assert client.call("double", [4]) == 8
        assert client.call("nothing", []) is None
    assert server.asked == [("double", [4]), ("nothing", [])]
    assert server.requests[0][1]["content-type"] == "application/json"


def test_a_method_is_not_due_before_the_interval_has_passed(server: RpcServer) -> None:
    now = 50.0
    client = RpcClient(server.url, clock=lambda: now)
    assert client.due_s("double") <= now
    with client.opened():
        client.call("double", [4])
    assert client.due_s("double") == now + INTERVAL_S
    assert client.due_s("nothing") <= now


def test_the_interval_keeps_to_a_quarter_of_the_public_limits() -> None:
    in_10_s = 10.0 / INTERVAL_S
    assert in_10_s <= 40 / 4  # of a method
    assert 2 * in_10_s <= 100 / 4  # of all: two methods are used


@pytest.mark.parametrize(("headers", "wait_s"), [({"Retry-After": "7"}, 7.0), ({}, RATE_LIMIT_WAIT_S)])
def test_a_rate_limit_says_how_long_to_wait(server: RpcServer, headers: dict[str, str], wait_s: float) -> None:
    server.refuse(429, headers)
    client = client_of(server)
    with client.opened(), pytest.raises(SourceError, match="HTTP 429") as caught:
        client.call("double", [1])
    assert caught.value.wait_s == wait_s
    assert KEY not in str(caught.value)
    server.refuse(None)
    with client.opened():
        assert client.call("double", [1]) == 2


@pytest.mark.parametrize("code", [429, -32429])
def test_a_rate_limit_in_the_answer_is_one_too(code: int) -> None:
    with fail(code) as server:
        client = client_of(server)
        with client.opened(), pytest.raises(SourceError) as caught:
            client.call("ask", [])
    assert caught.value.wait_s == RATE_LIMIT_WAIT_S


def test_an_error_of_the_node_is_shown_without_keys() -> None:
    with fail(-32602) as server:
        client = client_of(server)
        with client.opened(), pytest.raises(RpcError, match=r"^127.0.0.1: ask: -32602 see node.example.org[.]{3}$"):
            client.call("ask", [])


def test_a_node_that_cannot_be_reached_is_an_error_without_keys() -> None:
    client = RpcClient(f"http://127.0.0.1:9/{KEY}?api-key={KEY}")
    with client.opened(), pytest.raises(SourceError) as caught:
        client.call("double", [1])
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", '{"error": "text"}', "\x80"])
def test_an_answer_that_is_no_json_rpc_is_an_error(server: RpcServer, text: str) -> None:
    server.raw = text
    client = client_of(server)
    with client.opened(), pytest.raises(SourceError, match="the answer to double is no JSON-RPC"):
        client.call("double", [1])


def test_a_closed_client_asks_nothing(server: RpcServer) -> None:
    client = client_of(server)
    client.close()
    with client.opened(), pytest.raises(SourceError, match="closed"):
        client.call("double", [1])
    assert server.attempts == 0
