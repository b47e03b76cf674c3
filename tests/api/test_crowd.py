"""Many clients, slow ones and those that never finish: nobody else waits for them, and none is kept for ever."""

import contextlib
import socket
import time

import httpx
import pytest

from benchmarks.halt import BODILESS, STREAM, UNFINISHED, Crowd
from memesnipe.api import broadcast, connections
from memesnipe.servers.process import wait_until
from tests.api.conftest import MAX_STREAMS, TOKEN


@pytest.fixture
def served(backend, serve, all_running, new_run):
    return serve(backend)


def raw(port: int, request: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(request % port if b"%d" in request else request)
    return client


def gets_a_seat(port: int) -> bool:
    with raw(port, STREAM) as client:
        return client.recv(12) == b"HTTP/1.1 200"


def ends(client: socket.socket) -> bool:
    """Whether the server ends a connection; fails where it does not."""
    try:
        while client.recv(65_536):
            pass
    except ConnectionResetError:
        return True
    return True


def test_streams_beyond_the_seats_are_told_to_come_again_and_seats_are_given_back(served):
    with Crowd(served.port) as crowd:
        crowd.watch(MAX_STREAMS)
        assert wait_until(lambda: crowd.statuses["200"] == MAX_STREAMS, 20)
        busy = httpx.get(f"{served.url}/api/events", timeout=20)
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
        assert set(busy.json()) == {"error"}
    assert wait_until(lambda: gets_a_seat(served.port), 20)


def test_everyone_sees_the_same_state_and_it_is_read_once_for_all(served, backend, monkeypatch):
    reads = []
    state = backend.state

    def count():
        reads.append(1)
        return state()

    monkeypatch.setattr(backend, "state", count)
    with Crowd(served.port) as crowd:
        crowd.watch(MAX_STREAMS)
        assert wait_until(lambda: crowd.statuses["200"] == MAX_STREAMS, 20)
        # Long enough for comments, which come when nothing is new: the state has been read several times by then.
        assert wait_until(lambda: len(reads) >= 3, 20)
        began, before = time.monotonic(), len(reads)
        assert wait_until(lambda: len(reads) >= before + 3, 20)
        assert time.monotonic() - began >= 2 * broadcast.STATE_INTERVAL_S  # three readers read no more often than one


def test_a_halt_is_taken_up_beside_a_crowd(served):
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
def test_a_request_that_is_never_finished_is_cut_off(served, monkeypatch, begun):
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.3)
    with raw(served.port, begun) as client:
        assert ends(client)  # an answer may come before, where the body is not asked for


def test_a_connection_whose_request_is_complete_outlives_the_time_for_it(served, monkeypatch):
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.3)
    with httpx.Client(base_url=served.url, timeout=20) as client:
        assert client.get("/api/health").status_code == 200
        with raw(served.port, STREAM) as stream:
            told = b""
            while told.count(b": nothing new") < 1:  # seconds later
                found = stream.recv(65_536)
                assert found
                told += found
        assert client.get("/api/health").status_code == 200


@pytest.mark.parametrize(
    "rest", [b"X-Long: " + b"x" * 100_000, b"Transfer-Encoding: chunked\r\n\r\n" + b"fff\r\n" * 30_000]
)
def test_a_request_that_is_too_large_is_cut_off(served, rest):
    with raw(served.port, b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n") as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(rest)
        assert ends(client)
    assert httpx.get(served.url, timeout=5).status_code == 200


def test_a_reader_that_never_reads_is_cut_off(served, monkeypatch, backend):
    """Its states fill the buffers, and then its time begins."""
    monkeypatch.setattr(connections, "READ_TIMEOUT_S", 0.3)
    monkeypatch.setattr(broadcast, "STATE_INTERVAL_S", 0.01)
    monkeypatch.setattr(broadcast, "MAX_INTERVAL_S", 0.0)
    numbers = iter(range(10_000))
    monkeypatch.setattr(backend, "state", lambda: {"number": next(numbers), "filler": "x" * 1_000_000})
    with raw(served.port, STREAM) as client:
        assert wait_until(lambda: _is_reset(client), 30)


def _is_reset(client: socket.socket) -> bool:
    """Whether the server has cut it off, asked without reading anything."""
    try:
        client.send(b"\r\n")
    except ConnectionError:
        return True
    return False
