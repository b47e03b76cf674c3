"""Events are posted to a real server; what it acknowledges is delivered, once, also after a restart."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from memesnipe.errors import InputError
from memesnipe.feeds.base import IDLE
from memesnipe.feeds.webhook.app import MAX_BODY_BYTES, MAX_LINES, RateLimit
from memesnipe.feeds.webhook.feed import WebhookFeed, read_token
from memesnipe.feeds.webhook.spool import Spool
from memesnipe.market.events import NS_PER_S
from memesnipe.market.record_rules import error_of
from tests.feeds.harness import wait_until

TOKEN = "hunter2-hunter2-hunter2"
SOCIAL = {"kind": "social", "mint": "MintA", "sentiment": 0.5, "mentions": 3.0}


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "run" / "webhook.jsonl"


@pytest.fixture
def feed(spool: Path) -> Iterator[WebhookFeed]:
    feed = opened(spool)
    yield feed
    feed.close()
    assert not [thread for thread in threading.enumerate() if "webhook" in thread.name], "closing ends the threads"


def opened(spool: Path, token: Any = None) -> WebhookFeed:
    feed = WebhookFeed(0, TOKEN, spool)
    feed.open(token)
    wait_until(lambda: feed.statuses()[0].connections)
    return feed


def post(feed: WebhookFeed, body: Any, token: str = TOKEN, **headers: str) -> httpx.Response:
    content = json.dumps(body) if isinstance(body, dict) else body
    headers = {"Authorization": f"Bearer {token}".strip(), **headers}
    url = f"http://127.0.0.1:{feed.source.port}/signals"
    return httpx.post(url, content=content, headers=headers, trust_env=False, timeout=10.0)


def poll(feed: WebhookFeed, count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        polled = feed.poll(count, 10.0)
        found += polled if isinstance(polled, list) else []
    return found


def test_what_is_acknowledged_is_delivered_in_order(feed) -> None:
    before_ns = time.time_ns()
    lines = [{**SOCIAL, "mentions": float(n)} for n in range(3)]
    answer = post(feed, "\n".join(map(json.dumps, lines)))
    assert (answer.status_code, answer.json()) == (200, {"accepted": 3})
    assert post(feed, {**SOCIAL, "mentions": 3.0}).status_code == 200
    messages = [event.message for event in poll(feed, 4)]
    assert [message["mentions"] for message in messages] == [0.0, 1.0, 2.0, 3.0]
    assert [error_of(message) for message in messages] == [None] * 4
    assert before_ns <= messages[0]["ts"] <= time.time_ns(), "the time of arrival"
    assert feed.poll(1, 0.05) is IDLE
    assert feed.statuses()[0].rejected == {}


def test_a_restart_continues_after_the_last_event_that_was_used(feed, spool) -> None:
    for n in range(4):
        assert post(feed, {**SOCIAL, "mentions": float(n)}).status_code == 200
    token = poll(feed, 4)[1].token
    feed.close()
    with spool.open("ab") as file:
        file.write(b'{"kind": "soc')  # killed while it was written: it was not acknowledged
    again = opened(spool, token)
    try:
        assert post(again, {**SOCIAL, "mentions": 4.0}).status_code == 200
        assert [event.message["mentions"] for event in poll(again, 3)] == [2.0, 3.0, 4.0]
        assert again.statuses()[0].rejected == {}
    finally:
        again.close()


def test_what_was_accepted_before_the_first_event_was_used_is_delivered_after_a_restart(feed, spool) -> None:
    assert post(feed, SOCIAL).status_code == 200
    feed.close()
    again = opened(spool)
    try:
        assert len(poll(again, 1)) == 1
    finally:
        again.close()


@pytest.mark.parametrize("token", ["", "hunter2", TOKEN + "x"])
def test_another_token_is_refused_and_the_right_one_is_not_shown(feed, token) -> None:
    answer = post(feed, SOCIAL, token)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.text == "the bearer token is not that of WEBHOOK_TOKEN_FILE\n"
    assert feed.statuses()[0].rejected == {"the bearer token is not that of WEBHOOK_TOKEN_FILE": 1}
    assert TOKEN not in repr(feed.statuses())
    assert feed.poll(1, 0.05) is IDLE


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("", 422, "the body has no event"),
        ("\n \n", 422, "the body has no event"),
        ("nonsense", 422, "malformed: line 1"),
        (json.dumps(SOCIAL) + "\n[1]", 422, "malformed: line 2"),
        ({**SOCIAL, "kind": "price"}, 422, "kind not accepted: line 1"),
        ({**SOCIAL, "mentions": "many"}, 422, "malformed: line 1: mentions is 'many'"),
        ({**SOCIAL, "mentions": -1.0}, 422, "out_of_range: line 1: mentions is -1.0"),
        ({**SOCIAL, "ts": 1}, 422, "too_old: line 1: ts is 1"),
        ({**SOCIAL, "ts": time.time_ns() - 60 * NS_PER_S}, 422, "out_of_order: line 1: ts"),
        ({**SOCIAL, "ts": time.time_ns() + 86_400 * NS_PER_S}, 422, "future: line 1: ts"),
        ("[" * 60_000, 422, "malformed: line 1"),
        ("x" * (MAX_BODY_BYTES + 1), 413, f"the body has more than {MAX_BODY_BYTES} bytes"),
        ("\n".join("x" * (MAX_LINES + 1)), 413, f"more than {MAX_LINES} lines in a request"),
    ],
)
def test_what_is_not_accepted_is_refused_as_a_whole_with_one_line(feed, body, status, text) -> None:
    answer = post(feed, body)
    assert answer.status_code == status
    assert answer.text.startswith(text)
    assert answer.text.count("\n") == 1
    assert sum(feed.statuses()[0].rejected.values()) == 1
    assert feed.poll(1, 0.05) is IDLE, "none of its lines is used"


def test_other_paths_and_methods_are_not_there(feed) -> None:
    url = f"http://127.0.0.1:{feed.source.port}"
    assert httpx.post(f"{url}/", trust_env=False).status_code == 404
    assert httpx.get(f"{url}/signals", trust_env=False).status_code == 405


def test_too_many_lines_a_second_are_refused_with_the_time_to_wait(feed) -> None:
    body = "\n".join([json.dumps(SOCIAL)] * MAX_LINES)
    assert post(feed, body).status_code == 200
    answer = post(feed, body)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.text == "more than 100 lines a second\n"


def test_the_rate_limit_fills_with_time() -> None:
    now_s = 0.0
    rate = RateLimit(10.0, 20.0, lambda: now_s)
    assert rate.take(20)
    assert not rate.take(1)
    now_s = 0.5
    assert not rate.take(6)
    assert rate.take(5)
    now_s = 1_000.0
    assert not rate.take(21)
    assert rate.take(20)


def test_a_full_spool_takes_nothing_more_until_it_is_read(spool) -> None:
    small = Spool(spool, max_unread_bytes=10)
    small.open(0)
    assert small.add(b"1234\n")
    assert small.add(b"6789\n")
    assert not small.add(b"\n")
    small.note_read(5)
    assert small.add(b"1234\n")
    assert spool.read_bytes() == b"1234\n6789\n1234\n"


def test_a_full_spool_is_answered_with_503(feed) -> None:
    feed.receiver._spool._max_unread_bytes = 10
    answer = post(feed, SOCIAL)
    assert (answer.status_code, answer.text) == (503, "too many events wait to be read\n")
    assert answer.headers["retry-after"] == "1"


def test_what_cannot_be_stored_is_not_acknowledged(feed, spool) -> None:
    feed.receiver._spool.path = spool / "no folder"
    answer = post(feed, SOCIAL)
    assert (answer.status_code, answer.text) == (503, "the events cannot be stored: Not a directory\n")


def test_a_port_that_is_taken_is_the_error_of_the_feed(spool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        feed = WebhookFeed(taken.getsockname()[1], TOKEN, spool)
        feed.open(None)
        try:
            wait_until(lambda: "Address already in use" in feed.statuses()[0].error)
        finally:
            feed.close()


def test_a_client_that_leaves_before_its_body_ends_stores_nothing(feed) -> None:
    with socket.create_connection(("127.0.0.1", feed.source.port)) as client:
        head = f"POST /signals HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 500\r\n\r\n"
        client.sendall(head.encode() + json.dumps(SOCIAL).encode() + b"\n")
    wait_until(lambda: feed.statuses()[0].rejected == {"the body did not arrive": 1})
    assert feed.poll(1, 0.05) is IDLE


def test_a_token_is_read_from_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with pytest.raises(InputError, match="WEBHOOK_TOKEN_FILE is not set"):
        read_token(None)
    with pytest.raises(InputError, match="WEBHOOK_TOKEN_FILE must name one"):
        read_token(path)
    path.write_text("short\n")
    path.chmod(0o644)
    with pytest.raises(InputError, match="can be read by others"):
        read_token(path)
    path.chmod(0o600)
    with pytest.raises(InputError, match="too short to be a token"):
        read_token(path)
    path.write_text(f"{TOKEN}\n")
    assert read_token(path) == TOKEN


def test_the_body_is_awaited_for_a_limited_time(feed, monkeypatch) -> None:
    monkeypatch.setattr("memesnipe.feeds.webhook.app.BODY_S", 0.05)
    with socket.create_connection(("127.0.0.1", feed.source.port)) as client:
        head = f"POST /signals HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 500\r\n\r\n"
        client.sendall(head.encode())
        client.settimeout(10.0)
        assert client.recv(100).startswith(b"HTTP/1.1 408")
