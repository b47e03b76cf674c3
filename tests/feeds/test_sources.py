"""Every source over the network, against a real server that fails in every way: the same rules hold for all."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from memesnipe.feeds.base import IDLE, Feed
from memesnipe.feeds.decoded import DecodedFeed, UnusableError
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.retry import SourceError
from tests.feeds.harness import KEY, KINDS, LIMIT_BYTES, SILENCE_S, SOON_S, Kind, Server, wait_until


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def server(kind: Kind) -> Iterator[Server]:
    with kind.server() as server:
        yield server


@pytest.fixture
def open_feed(kind: Kind, server: Server) -> Iterator[Callable[..., LiveFeed]]:
    opened: list[LiveFeed] = []

    def made(suffix: str = "", *, capacity: int = 1000, **options: Any) -> LiveFeed:
        feed = LiveFeed("tested", kind.source(server.url + suffix, **options), capacity)
        feed.open(None)
        opened.append(feed)
        return feed

    yield made
    for feed in opened:
        feed.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "feed tested"], "closing ends the threads"


def poll(feed: Feed, count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        polled = feed.poll(count - len(found), SOON_S)
        assert isinstance(polled, list), polled
        found += [event.message for event in polled]
    return found


def poll_until(feed: Feed, condition: Callable[[], object]) -> None:
    wait_until(lambda: feed.poll(1, 0.01) is IDLE and condition())


def test_payloads_are_delivered_as_they_were_sent_and_nothing_is_left_out(open_feed, server) -> None:
    feed = open_feed()
    sent = [f'{{"n": {n}, "text": "æ—¥"}}' for n in range(20)]
    server.send(*sent)
    assert poll(feed, 20) == sent
    [status] = feed.statuses()
    assert (status.connections, status.failures, status.error) == (1, 0, "")


def test_a_broken_connection_is_opened_again_and_counted(open_feed, server) -> None:
    feed = open_feed()
    server.send("before")
    assert poll(feed, 1) == ["before"]
    server.cut()
    poll_until(feed, lambda: feed.statuses()[0].failures == 1)
    server.send("after")
    assert poll(feed, 1) == ["after"]
    assert feed.statuses()[0].connections == 2
    assert feed.statuses()[0].error == ""


def test_a_silent_server_is_left_and_asked_again(open_feed, server) -> None:
    feed = open_feed(silence_s=SILENCE_S)
    server.send("first")
    assert poll(feed, 1) == ["first"]
    server.stall()
    poll_until(feed, lambda: feed.statuses()[0].failures)
    server.send("again", "again")  # the stalled connection may take the first
    assert poll(feed, 1) == ["again"]


@pytest.mark.parametrize(
    ("headers", "wait_s"), [({"Retry-After": "7"}, 7.0), ({}, 60.0), ({"Retry-After": "soon"}, 60.0)]
)
def test_a_rate_limit_names_its_wait(kind, server, headers, wait_s) -> None:
    server.refuse(429, headers)
    with pytest.raises(SourceError, match=r"^127\.0\.0\.1: HTTP 429") as caught:
        next(kind.source(server.url).read(None))
    assert caught.value.wait_s == wait_s
    assert server.attempts == 1


def test_a_rate_limited_server_is_not_asked_before_its_time(open_feed, server) -> None:
    server.refuse(429, {"Retry-After": "1"})
    feed = open_feed()
    wait_until(lambda: feed.statuses()[0].error)
    server.refuse(None)
    assert feed.poll(1, 0.5) is IDLE
    assert server.attempts == 1
    server.send("now")
    assert poll(feed, 1) == ["now"]


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_refusal_is_reported_with_its_status_and_tried_again(open_feed, server, status) -> None:
    server.refuse(status)
    feed = open_feed()
    poll_until(feed, lambda: feed.statuses()[0].failures >= 2)
    assert feed.statuses()[0].error.startswith(f"127.0.0.1: HTTP {status}")
    assert feed.statuses()[0].connections == 0
    server.refuse(None)
    server.send("now")
    assert poll(feed, 1) == ["now"]


def test_an_oversized_payload_is_not_read(open_feed, server) -> None:
    feed = open_feed()
    server.send("x" * (LIMIT_BYTES + 1))
    poll_until(feed, lambda: feed.statuses()[0].failures == 1)
    assert str(LIMIT_BYTES) in feed.statuses()[0].error
    server.send("small")
    assert poll(feed, 1) == ["small"]


def test_a_slow_reader_holds_the_source_back_and_loses_nothing(open_feed, server) -> None:
    feed = open_feed(capacity=4, silence_s=SILENCE_S)
    sent = [f"{n} {'x' * 10_000}" for n in range(60)]
    server.send(*sent)
    wait_until(lambda: feed.statuses()[0].full)
    threading.Event().wait(2 * SILENCE_S)  # a reader that is slower than the limit of silence is no silent server
    assert feed.statuses()[0].queued == 4
    assert poll(feed, 60) == sent
    assert feed.statuses()[0].failures == 0


def test_closing_ends_a_source_that_waits(open_feed, server) -> None:
    feed = open_feed()
    server.send("first")
    assert poll(feed, 1) == ["first"]


def test_closing_ends_a_source_whose_server_is_dead(open_feed, server) -> None:
    feed = open_feed()
    server.send("first")
    assert poll(feed, 1) == ["first"]
    server.stall()


def test_a_closed_source_is_not_read(kind, server) -> None:
    source = kind.source(server.url)
    source.close()
    with pytest.raises(SourceError):
        next(source.read(None))
    assert server.attempts == 0


def test_a_server_that_is_not_there_is_an_error_in_one_line(kind) -> None:
    with kind.server() as gone:
        url = gone.url
    feed = LiveFeed("tested", kind.source(url))
    feed.open(None)
    try:
        wait_until(lambda: feed.statuses()[0].error)
        assert feed.statuses()[0].error.startswith("127.0.0.1: ")
    finally:
        feed.close()


def test_no_key_is_shown(open_feed, server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    feed = open_feed(f"{KEY}/stream?api-key={KEY}")
    shown: list[str] = []

    def fail_with(error: str) -> None:
        poll_until(feed, lambda: error in feed.statuses()[0].error or feed.statuses()[0].failures >= len(shown) + 1)
        shown.append(repr(feed.statuses()))

    server.send("first")
    assert poll(feed, 1) == ["first"]
    server.cut()
    fail_with("127.0.0.1")
    server.refuse(401, {"X-Echo": KEY})
    server.cut()
    fail_with("HTTP 401")
    assert "127.0.0.1" in "".join(shown)
    assert KEY not in "".join(shown) + caplog.text


def test_malformed_payloads_are_rejected_by_reason_and_the_others_delivered(open_feed, server) -> None:
    def decode(payload: Any) -> list[dict[str, Any]]:
        try:
            return [{"n": n} for n in orjson.loads(payload)]
        except orjson.JSONDecodeError:
            raise UnusableError("not JSON") from None

    payloads = open_feed()
    feed = DecodedFeed(payloads, decode)
    server.send("[1, 2]", "\x00garbage", "[", "[3]")
    found: list[Any] = []
    while len(found) < 3:
        polled = feed.poll(1, SOON_S)
        found += [event.message["n"] for event in polled] if polled is not IDLE else []
    assert found == [1, 2, 3]
    assert feed.statuses()[0].rejected == {"not JSON": 2}
