"""A live feed: its thread, its bounded queue, and what happens when the source fails or ends."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from memesnipe.feeds.base import END, IDLE, FeedEvent
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.retry import SourceError
from memesnipe.testing.live_source import ScriptedSource

SOON_S = 10.0  # far more than any of it takes


@pytest.fixture
def source() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
def open_feed(source: ScriptedSource) -> Iterator[Callable[..., LiveFeed]]:
    opened: list[LiveFeed] = []

    def made(token: object = None, capacity: int = 100) -> LiveFeed:
        feed = LiveFeed("test", source, capacity)
        feed.open(token)
        opened.append(feed)
        return feed

    yield made
    for feed in opened:
        feed.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "feed test"], "closing ends the threads"


def wait_until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.001)


def poll_all(feed: LiveFeed, count: int, limit: int = 100) -> list[FeedEvent]:
    found: list[FeedEvent] = []
    while len(found) < count:
        polled = feed.poll(limit, SOON_S)
        assert isinstance(polled, list), polled
        assert len(polled) <= limit
        found += polled
    return found


def test_an_event_is_returned_as_soon_as_it_arrives_and_silence_is_idle(open_feed, source) -> None:
    feed = open_feed()
    assert feed.poll(10, 0.0) is IDLE
    source.deliver({"n": 1})
    assert poll_all(feed, 1) == [({"n": 1}, {"delivered": 1})]
    assert feed.poll(10, 0.01) is IDLE


def test_a_poll_without_a_timeout_does_not_wait(open_feed) -> None:
    feed = open_feed()
    began = time.monotonic()
    assert all(feed.poll(10, 0.0) is IDLE for _ in range(100))
    assert time.monotonic() - began < SOON_S


def test_the_end_comes_after_the_last_event_and_stays(open_feed, source) -> None:
    feed = open_feed()
    source.deliver(1, 2, 3)
    source.end()
    assert [event.message for event in poll_all(feed, 3, limit=2)] == [1, 2, 3]
    assert [feed.poll(10, SOON_S) for _ in range(2)] == [END, END]
    assert feed.statuses() == []


def test_a_full_queue_pauses_the_source_and_is_counted(open_feed, source) -> None:
    feed = open_feed(capacity=4)
    source.deliver(*range(50))
    wait_until(lambda: feed.statuses()[0].full == 1)
    assert feed.statuses()[0].queued == 4
    assert source.delivered == 5, "one event waits for room, and none is taken from the source beyond it"
    assert [event.message for event in poll_all(feed, 50)] == list(range(50))
    assert feed.statuses()[0].queued == 0


def test_closing_ends_a_thread_that_waits_for_room(open_feed, source) -> None:
    feed = open_feed(capacity=1)
    source.deliver(1, 2, 3)
    wait_until(lambda: feed.statuses()[0].full)


@pytest.mark.parametrize("error", [ConnectionError("reset by peer\nsecond line"), SystemExit("quits")])
def test_a_dead_thread_is_reported_and_reopened_with_the_last_token(open_feed, source, error) -> None:
    feed = open_feed()
    source.deliver("a", "b")
    poll_all(feed, 2)
    source.fail(error)
    wait_until(lambda: feed.statuses()[0].error)
    [status] = feed.statuses()
    assert (status.error, status.failures) == (f"{type(error).__name__}: {str(error).splitlines()[0]}", 1)
    source.deliver("c")
    wait_until(lambda: feed.poll(10, 0.05) is IDLE and feed.statuses()[0].failures >= 2)
    source.fail(None)
    assert [event.message for event in poll_all(feed, 1)] == ["c"], "neither lost nor repeated"
    assert feed.statuses()[0].error == ""
    assert source.tokens[0] is None
    assert set(map(str, source.tokens[1:])) == {"{'delivered': 2}"}


def test_a_reconnected_feed_is_not_in_error_although_no_event_comes(open_feed, source) -> None:
    feed = open_feed()
    source.fail(ConnectionError("no route"))
    source.deliver()
    wait_until(lambda: feed.poll(1, 0.05) is IDLE and feed.statuses()[0].error)
    source.fail(None)
    wait_until(lambda: feed.poll(1, 0.05) is IDLE and not feed.statuses()[0].error)
    assert feed.statuses()[0].failures >= 1


def test_passwords_in_errors_are_masked(open_feed, source) -> None:
    feed = open_feed()
    source.fail(ConnectionError("wss://user:hunter2@example.org refused"))
    wait_until(lambda: feed.statuses()[0].error)
    assert feed.statuses()[0].error == "ConnectionError: wss://user:***@example.org refused"


def test_silence_is_measured_from_the_last_event(source) -> None:
    now = [100.0]
    feed = LiveFeed("test", source, clock=lambda: now[0])
    feed.open(None)
    try:
        now[0] += 7
        assert feed.statuses()[0].silent_s == 7
        source.deliver("x")
        wait_until(lambda: feed.statuses()[0].queued)
        assert feed.statuses()[0].silent_s == 0
    finally:
        feed.close()


def test_a_source_that_names_a_wait_is_not_read_before_it(source) -> None:
    now = [100.0]
    feed = LiveFeed("test", source, clock=lambda: now[0])
    source.fail(SourceError("wss://example.org/?api-key=hunter2", "HTTP 429", 9.0))
    feed.open(None)
    try:
        wait_until(lambda: feed.statuses()[0].error == "example.org: HTTP 429")
        now[0] += 8.9
        assert feed.poll(1, 0.0) is IDLE
        assert len(source.tokens) == 1
        now[0] += 0.2
        source.fail(None)
        assert feed.poll(1, 0.0) is IDLE
        wait_until(lambda: len(source.tokens) == 2 and not feed.statuses()[0].error)
    finally:
        feed.close()


def test_a_server_that_cuts_every_connection_at_once_is_asked_ever_more_rarely(source) -> None:
    now = [100.0]
    feed = LiveFeed("test", source, clock=lambda: now[0])
    feed.open(None)
    waits: list[float] = []
    try:
        for failures in range(1, 9):
            wait_until(lambda n=failures: feed.statuses()[0].connections == n)
            source.fail(ConnectionError("cut"))
            wait_until(lambda n=failures: feed.statuses()[0].failures == n)
            source.fail(None)
            before_s = now[0]
            while feed.poll(1, 0.0) is IDLE and feed.statuses()[0].error:
                now[0] += 0.05
            waits.append(now[0] - before_s)
        assert waits[-1] > 4.0
    finally:
        feed.close()
