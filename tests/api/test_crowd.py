"""Many, slow and hanging clients: they do not delay other clients, and their connections are closed eventually."""

import contextlib
import socket
import time

import httpx
import pytest

from benchmarks.halt import BODILESS, STREAM, UNFINISHED, Crowd
from memesnipe.api import broadcast, connections
from memesnipe.servers.process import wait_until
from tests.api.conftest import MAX_STREAMS, PROBLEM, TOKEN


@pytest.fixture
def served(backend, serve, all_running, new_run):
    return serve(backend)


def raw(port: int, request: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(request % port if b"%d" in request else request)
    return client


def gets_a_stream(port: int) -> bool:
    with raw(port, STREAM) as client:
        return client.recv(12) == b"HTTP/1.1 200"


def ends(client: socket.socket) -> bool:
    """Return True when the server ends a connection; a timeout is raised if it does not."""
    try:
        while client.recv(65_536):
            pass
    except ConnectionResetError:
        return True
    return True


def test_streams_beyond_the_limit_get_503_until_one_is_closed(served):
    with Crowd(served.port) as crowd:
        crowd.watch(MAX_STREAMS)
        assert wait_until(lambda: crowd.statuses["200"] == MAX_STREAMS, 20)
        busy = httpx.get(f"{served.url}/api/events", timeout=20)
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
        assert set(busy.json()) == PROBLEM
    assert wait_until(lambda: gets_a_stream(served.port), 20)


def test_the_state_is_read_once_for_all_streams(served, backend, monkeypatch):
    reads = []
    state = backend.state

    def count():
        reads.append(1)
        return state()

    monkeypatch.setattr(backend, "state", count)
    monkeypatch.setattr(broadcast, "STATE_INTERVAL_S", 0.3)
    with Crowd(served.port) as crowd:
        crowd.watch(MAX_STREAMS)
        assert wait_until(lambda: crowd.statuses["200"] == MAX_STREAMS, 20)
        # The state has been read several times.
        assert wait_until(lambda: len(reads) >= 3, 20)
        began, before = time.monotonic(), len(reads)
        assert wait_until(lambda: len(reads) >= before + 3, 20)
        assert time.monotonic() - began >= 2 * broadcast.STATE_INTERVAL_S  # three streams read no more often than one


def test_a_halt_is_accepted_beside_a_crowd(served):
    with Crowd(served.port) as crowd:
        crowd.stand_still(MAX_STREAMS)
        crowd.watch(50)
        crowd.leave_unfinished(50)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.post(f"{served.url}/api/halt", headers=headers, timeout=5).status_code == 202
        assert httpx.get(served.url, timeout=5).status_code == 200
        assert httpx.get(f"{served.url}/api/health", timeout=5).status_code == 200


NO_BODY = b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 9\r\n\r\n1"


@pytest.mark.parametrize("begun", [b"", b"GET / HT", UNFINISHED, BODILESS, NO_BODY, b"\r\n\r\n"])
def test_an_unfinished_request_is_closed(served, monkeypatch, begun):
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.3)
    with raw(served.port, begun) as client:
        assert ends(client)  # a response may precede it, if the body is not needed


def test_a_connection_with_a_complete_request_outlives_the_deadline(served, monkeypatch):
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.3)
    monkeypatch.setattr(broadcast, "COMMENT_INTERVAL_S", 1.0)
    with httpx.Client(base_url=served.url, timeout=20) as client:
        assert client.get("/api/health").status_code == 200
        with raw(served.port, STREAM) as stream:
            received = b""
            while received.count(b": nothing new") < 1:  # sent seconds later
                found = stream.recv(65_536)
                assert found
                received += found
        assert client.get("/api/health").status_code == 200


@pytest.mark.parametrize(
    "rest", [b"X-Long: " + b"x" * 100_000, b"Transfer-Encoding: chunked\r\n\r\n" + b"fff\r\n" * 30_000]
)
def test_a_too_large_request_is_closed(served, rest):
    with raw(served.port, b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n") as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(rest)
        assert ends(client)
    assert httpx.get(served.url, timeout=5).status_code == 200


def test_a_client_that_never_reads_is_closed(served, monkeypatch, backend):
    """The deadline starts when the states have filled the buffers."""
    monkeypatch.setattr(connections, "READ_TIMEOUT_S", 0.3)
    monkeypatch.setattr(broadcast, "STATE_INTERVAL_S", 0.01)
    monkeypatch.setattr(broadcast, "MAX_INTERVAL_S", 0.0)
    numbers = iter(range(10_000))
    monkeypatch.setattr(backend, "state", lambda: {"number": next(numbers), "filler": "x" * 1_000_000})
    with raw(served.port, STREAM) as client:
        assert wait_until(lambda: _is_reset(client), 30)


def _is_reset(client: socket.socket) -> bool:
    """Return whether the server has closed the connection, without reading from it."""
    try:
        client.send(b"\r\n")
    except ConnectionError:
        return True
    return False
