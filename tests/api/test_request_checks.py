"""The checks before the API: host names, paths, sizes; and the headers of every response."""

import socket

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.api.request_checks import LOOPBACK_HOSTS, RequestChecks
from memesnipe.signer.app import create_signer_api
from memesnipe.storage import schema
from tests.api.conftest import PROBLEM, TOKEN, Served

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def served(backend, serve, all_running, new_run) -> Served:
    return serve(backend)


@pytest.fixture
def client(served):
    with httpx.Client(base_url=served.url, timeout=20) as client:
        yield client


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
@pytest.mark.parametrize("port", ["", ":80", ":8080"])
def test_names_of_this_machine_are_allowed(client, host, port):
    assert client.get("/api/health", headers={"Host": host + port}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/positions", "/docs", "/static/app.js", "/nowhere"])
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:80", "localhost:80:80", "127.0.0.1@evil", "", ":80"]
)
def test_other_names_are_refused_everywhere(client, path, host):
    answer = client.get(path, headers={"Host": host})
    assert (answer.status_code, set(answer.json())) == (421, PROBLEM)
    assert client.post("/api/halt", headers={**HEADERS, "Host": host}).status_code == 421


def test_a_missing_or_repeated_host_is_refused(served):
    for hosts in (b"", b"Host: localhost\r\nHost: localhost\r\n"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n")
            assert raw.recv(65_536).split(b" ")[1] in (b"421", b"400")


@given(st.text(st.characters(codec="ascii", exclude_characters=":"), max_size=30))
@settings(max_examples=200)
def test_only_configured_names_are_allowed(name):
    checks = RequestChecks(create_signer_api("Key"), ["box.example"])
    allowed = name.lower() in (*LOOPBACK_HOSTS, "box.example")
    assert checks._allows([name]) is checks._allows([f"{name}:8080"]) is allowed


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/strategies/%00/promote", 404),
        ("/api/strategies/a%00b/demote", 404),
        ("/api/strategies/%0a/promote", 404),
        ("/api/strategies/%ff%fe/promote", 404),
        ("/api/strategies/%F0%9F%98%80/promote", 404),
        (f"/api/strategies/{'a' * 101}/promote", 404),
        (f"/api/strategies/{'a' * 5000}/promote", 404),
        ("/api/strategies/'; DROP TABLE runs --/promote", 404),
        ("/api/strategies/../../halt", 404),
        ("/api/nowhere", 404),
        ("/api/trades", 405),
    ],
)
def test_an_invalid_path_of_a_command_is_an_error(client, path, status):
    answer = client.post(path, headers=HEADERS)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == PROBLEM
    assert client.get("/api/commands").json() == []


@pytest.mark.parametrize(
    "path", ["/%00", "/static/%00", "/static/..%2f..%2fapp.py", "/static/%2e%2e/app.py", "/api/%0d%0a"]
)
def test_an_invalid_path_of_a_page_is_not_found(client, path):
    answer = client.get(path)
    assert (answer.status_code, set(answer.json())) == (404, PROBLEM)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", "1e3", "9" * 5000, "%00", ""])
def test_the_error_of_an_invalid_limit_has_the_usual_shape(client, limit):
    answer = client.get(f"/api/trades?limit={limit}")
    assert answer.status_code == 422
    assert set(answer.json()) == PROBLEM and answer.json()["detail"].startswith("limit: ")


def test_a_large_body_is_refused_and_a_small_one_ignored(client):
    assert client.post("/api/halt", headers=HEADERS, content=b"x" * 1024).status_code == 202
    answer = client.post("/api/halt", headers=HEADERS, content=b"x" * 1025)
    assert (answer.status_code, set(answer.json())) == (413, PROBLEM)


def test_a_body_without_a_length_is_not_waited_for(client):
    assert client.post("/api/halt", headers=HEADERS, content=iter([b"{", b"not json"])).status_code == 202


@pytest.mark.parametrize("reason", ["x" * 1025, "%00", "%C3%BC" * 513])
def test_a_reason_that_cannot_be_recorded_is_refused(client, reason):
    answer = client.post(f"/api/halt?reason={reason}", headers=HEADERS)
    assert (answer.status_code, set(answer.json())) == (422, PROBLEM)
    assert client.get("/api/commands").json() == []


def test_a_reason_is_recorded(client):
    assert client.post("/api/halt", params={"reason": "too hot"}, headers=HEADERS).status_code == 202
    assert client.post("/api/risk/reset", headers=HEADERS).status_code == 202
    assert [c["reason"] for c in client.get("/api/commands").json()] == ["over HTTP", "too hot"]


def test_every_response_has_the_security_headers(client, insert):
    insert(schema.StrategyRow, spec_id="abc", mode="paper")
    for method, path in (("GET", "/api/positions"), ("GET", "/nowhere"), ("POST", "/api/halt"), ("GET", "/")):
        headers = client.request(method, path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith(
            "default-src 'self'" if path == "/" else "default-src 'none'"
        )
        assert headers["cross-origin-resource-policy"] == "same-origin"
        kept = {"/": "no-cache", "/api/positions": "private, no-cache"}
        assert headers["cache-control"] == kept.get(path, "no-store")


def test_the_openapi_description_includes_the_token(client):
    described = client.get("/openapi.json").json()
    assert described["paths"]["/api/halt"]["post"]["security"] == [{"HTTPBearer": []}]
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
