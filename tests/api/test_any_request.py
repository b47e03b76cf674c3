"""Any request gets one of the documented responses, and the server keeps answering."""

import re
import socket
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import TOKEN

DOCUMENTED = {200, 202, 206, 304, 307, 400, 401, 403, 404, 405, 413, 416, 421, 422, 503}
EVERY_TEST = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

piece = st.binary(max_size=20).map(lambda found: quote_from_bytes(found, safe="/%?&=#;.,"))
names = (
    *("/api", "/strategies", "/promote", "/halt", "/trades", "/static", "/%00", "/..", ".csv", "/spec", "/market"),
    *("/tokens", "/equity", "?limit=", "?reason=", "?search=", "?ids=", "?mint=", "&sort=", "?offset=", "?since_ts="),
)
known = st.sampled_from(names)
path = st.lists(known | piece, max_size=6).map("".join).map(lambda found: "/" + found.lstrip("/"))
method = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
value = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
name = st.sampled_from(
    ["Authorization", "Content-Type", "Accept", "X-Request-Id", "Origin", "Cookie", "Range", "If-None-Match"]
)


@pytest.fixture
def served(backend, serve, all_running, new_run):
    return serve(backend)


def ask(port: int, request: bytes, *, ends: bool) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(request)
        if ends:
            client.shutdown(socket.SHUT_WR)
        try:
            return client.recv(65_536)
        except ConnectionResetError:
            return b""


@given(method, path, st.lists(st.tuples(name, value), max_size=3), st.binary(max_size=50), st.booleans())
@EVERY_TEST
def test_any_request_gets_a_documented_response(served, method, path, headers, body, has_token):
    if has_token:
        headers = [*headers, ("Authorization", f"Bearer {TOKEN}")]
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{served.port}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers] + [f"Content-Length: {len(body)}", "", ""]
    answer = ask(served.port, "\r\n".join(lines).encode("latin-1") + body, ends=False)
    found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    assert found, answer
    assert int(found[1]) in DOCUMENTED, answer
    assert b"Traceback" not in answer and b"Internal Server Error" not in answer


@given(st.binary(max_size=200))
@EVERY_TEST
def test_any_bytes_get_an_error_or_no_response(served, sent):
    answer = ask(served.port, sent, ends=True)
    assert not answer or re.match(rb"HTTP/1\.1 (4\d\d|200|503) ", answer), answer


def test_the_server_still_answers(served):
    assert httpx.get(served.url, timeout=5).status_code == 200
