"""The same rules hold for every live feed: each reads from a real server that fails in every way."""

import logging
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from memesnipe.feeds import hyperliquid, jupiter
from memesnipe.feeds.base import Feed, FeedStatus
from memesnipe.feeds.choice import LIVE_FEEDS
from memesnipe.market.record_rules import error_of
from tests.feeds.every_feed import CASES, LOCAL, WITHOUT_KEYS, Case, limit_silence, sources_of
from tests.feeds.harness import KEY, SILENCE_S, Server, wait_until

FOREIGN = '{"jsonrpc": "2.0", "method": "somethingNew", "params": {}}'


def test_every_live_feed_over_the_network_is_tested_here() -> None:
    assert set(CASES) | LOCAL == set(LIVE_FEEDS)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.setattr(jupiter, "INTERVAL_S", 0.01)
    monkeypatch.setattr(hyperliquid, "INTERVAL_S", 0.01)
    return CASES[request.param]


@pytest.fixture
def server(case: Case) -> Iterator[Server]:
    with case.server() as server:
        yield server


@pytest.fixture
def feed(case: Case, server: Server) -> Iterator[Feed]:
    before = set(threading.enumerate())
    feed = case.feed(server.url)
    yield feed
    feed.close()
    left = [t for t in threading.enumerate() if t not in before and t.name.startswith(("feed", "Thread"))]
    assert not [thread for thread in left if thread.name.startswith("feed")], "closing ends the threads"


class Reading:
    """Polls an open feed, and sends payloads to it, each once."""

    def __init__(self, case: Case, server: Server, feed: Feed) -> None:
        self.case, self.server, self.feed = case, server, feed
        self.sent = 0
        self.messages: list[Any] = []
        feed.open(None)
        wait_until(lambda: self.poll() or any(one.connections for one in self.statuses))
        for _ in range(case.begins_with):
            server.send(case.payload(0))
        self.expect_event()

    @property
    def statuses(self) -> list[FeedStatus]:
        return self.feed.statuses()

    @property
    def failures(self) -> int:
        return sum(status.failures for status in self.statuses)

    @property
    def connections(self) -> int:
        return sum(status.connections for status in self.statuses)

    @property
    def error(self) -> str:
        return "; ".join(status.error for status in self.statuses if status.error)

    @property
    def rejected(self) -> dict[str, int]:
        return sum((Counter(one.rejected) for one in self.statuses), Counter())

    def poll(self) -> bool:
        polled = self.feed.poll(10, 0.01)
        found = [event.message for event in polled] if isinstance(polled, list) else []
        self.messages += found
        return bool(found)

    def until(self, condition: Callable[[], object]) -> None:
        wait_until(lambda: [self.poll(), condition()][1])

    def expect_event(self) -> None:
        """Send payloads until one arrives: a connection that has just been replaced may take one with it."""
        known = len(self.messages)

        def has_arrived() -> bool:
            if len(self.messages) == known and not getattr(self.server, "payloads", None):
                self.sent += 1
                self.server.send(self.case.payload(self.sent))
            return len(self.messages) > known

        self.until(has_arrived)
        assert [error_of(message) for message in self.messages[known:]] == [None] * (len(self.messages) - known)
        assert {message["kind"] for message in self.messages[known:]} == {self.case.kind}


@pytest.fixture
def reading(case: Case, server: Server, feed: Feed) -> Reading:
    return Reading(case, server, feed)


def test_a_broken_connection_is_opened_again_and_delivers(reading: Reading) -> None:
    connections = reading.connections
    reading.server.cut()
    reading.until(lambda: reading.failures)
    reading.expect_event()
    reading.until(lambda: reading.connections > connections and not reading.error)


def test_a_rate_limit_is_kept_to(reading: Reading) -> None:
    reading.server.refuse(429, {"Retry-After": "1"})
    reading.server.cut()
    reading.until(lambda: "127.0.0.1: HTTP 429" in reading.error)
    sources = len(list(sources_of(reading.feed)))
    reading.until(lambda: reading.failures >= sources)
    attempts = reading.server.attempts
    threading.Event().wait(0.4)
    assert reading.server.attempts <= attempts + sources - 1, "a source asked again before its time"
    reading.server.refuse(None)
    reading.expect_event()


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_refusal_is_named_and_tried_again(reading: Reading, status: int) -> None:
    reading.server.refuse(status)
    reading.server.cut()
    reading.until(lambda: f"127.0.0.1: HTTP {status}" in reading.error)
    reading.server.refuse(None)
    reading.expect_event()


def test_a_silent_server_is_left(case: Case, server: Server, feed: Feed) -> None:
    limit_silence(feed, SILENCE_S)
    reading = Reading(case, server, feed)
    server.stall()
    reading.until(lambda: "for 0.3 s" in reading.error or reading.failures)
    reading.expect_event()


def test_what_is_no_event_is_counted_and_the_next_one_delivered(reading: Reading) -> None:
    known = reading.rejected.get(reading.case.rejected_as, 0)
    reading.server.send("garbage", "[", FOREIGN)
    reading.until(lambda: reading.rejected.get(reading.case.rejected_as, 0) >= known + 2)
    reading.expect_event()
    assert reading.failures == 0


def test_a_key_is_nowhere(reading: Reading, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    name = request.node.callspec.params["case"]
    shown: list[str] = []
    for status, headers in ((401, {"X-Echo": KEY}), (302, {"Location": f"http://127.0.0.1:9/{KEY}"}), (500, {})):
        reading.server.refuse(status, headers)
        reading.server.cut()
        known = reading.failures
        reading.until(lambda known=known: reading.failures > known)  # type: ignore[misc]
        shown.append(repr(reading.statuses) + repr(reading.feed))
    for source in sources_of(reading.feed):
        with pytest.raises(Exception) as caught:
            next(source.read(None))
        shown += traceback.format_exception(caught.value)
    assert "127.0.0.1" in "".join(shown)
    assert KEY not in "".join(shown) + caplog.text
    if name not in WITHOUT_KEYS and hasattr(reading.server, "requests"):
        assert KEY in repr(reading.server.requests) or name in ("helius", "pumpfun"), "the key was sent at all"


def test_closing_ends_a_feed_whose_server_is_dead(reading: Reading) -> None:
    reading.server.stall()
