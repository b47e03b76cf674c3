"""Farcaster and X: mentions of tokens from real servers, as these services answer."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from memesnipe.feeds.base import Feed
from memesnipe.feeds.decoded import UnusableError
from memesnipe.feeds.farcaster import LIMIT, FarcasterDecoder, farcaster_feed
from memesnipe.feeds.posts import CASHTAGS, Mentions
from memesnipe.feeds.x import XDecoder, x_feed
from memesnipe.testing.line_stream_server import LineStreamServer
from memesnipe.testing.polled_server import PolledServer
from tests.feeds.harness import KEY, wait_until

WIF, GOAT = CASHTAGS["WIF"], CASHTAGS["GOAT"]


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def casts(*texts: str, first: int = 0) -> str:
    """Return a response with casts, the newest first, numbered from ``first`` on."""
    found = [
        {"object": "cast", "hash": f"0x{n}", "text": text, "timestamp": now(), "author": {"fid": 3}}
        for n, text in enumerate(texts, first)
    ]
    return json.dumps({"result": {"casts": found[::-1], "next": {"cursor": "abc"}}})


def x_post(number: int, text: str) -> str:
    data = {"id": str(number), "text": text, "created_at": now(), "edit_history_tweet_ids": [str(number)]}
    return json.dumps({"data": data, "matching_rules": [{"id": "1", "tag": "coins"}]}, ensure_ascii=False)


@pytest.fixture
def opened() -> Iterator[Callable[[Feed], Feed]]:
    feeds: list[Feed] = []

    def opened(feed: Feed) -> Feed:
        feed.open(None)
        feeds.append(feed)
        return feed

    yield opened
    for feed in feeds:
        feed.close()


def poll(feed: Feed, count: int) -> list[Any]:
    found: list[Any] = []

    def is_complete() -> bool:
        polled = feed.poll(count, 0.05)
        found.extend(event.message for event in (polled if isinstance(polled, list) else ()))
        return len(found) >= count

    wait_until(is_complete)
    return [message["mint"] for message in found]


def rejected(feed: Feed) -> dict[str, int]:
    return dict(feed.statuses()[0].rejected)


def test_new_casts_are_mentions_and_those_from_before_the_start_are_not(opened) -> None:
    with PolledServer() as server:
        server.send(casts("$WIF before"), casts("$WIF before", "$GOAT", "$WIF", "gm"), casts("$WIF", "$WIF", first=3))
        feed = opened(farcaster_feed(server.url, KEY, 'pump.fun | "$WIF"', Mentions(CASHTAGS), 0.01))
        assert poll(feed, 3) == [GOAT, WIF, WIF], "the oldest first, and each once"
        path, headers = server.requests[0]
        assert path == (
            "/v2/farcaster/cast/search/?q=pump.fun+%7C+%22%24WIF%22&mode=literal&sort_type=desc_chron&limit=100"
        )
        assert headers["x-api-key"] == KEY
        assert rejected(feed) == {"post without a token": 1}
        server.refuse(429, {"Retry-After": "7"})
        wait_until(lambda: feed.poll(1, 0.01) and feed.statuses()[0].error)
        assert KEY not in repr(feed.statuses())


def test_a_search_that_finds_only_new_casts_may_have_missed_some() -> None:
    mentions = Mentions(CASHTAGS)
    decode = FarcasterDecoder(mentions)
    decode(casts(*["gm"] * LIMIT))
    decode(casts(*["gm"] * LIMIT, first=LIMIT - 1))
    assert mentions.put_aside == {"post without a token": LIMIT - 1}
    decode(casts(*["gm"] * LIMIT, first=3 * LIMIT))
    assert mentions.put_aside["responses that may not have every cast"] == 1


@pytest.mark.parametrize(
    "payload", ["", "[]", "{}", '{"result": {}}', '{"result": {"casts": [{"hash": "0x1"}]}}', b"\xff"]
)
def test_a_response_without_casts_is_malformed(payload) -> None:
    with pytest.raises(UnusableError, match="malformed"):
        FarcasterDecoder(Mentions(CASHTAGS))(payload)


def test_posts_of_x_arrive_between_empty_lines(opened) -> None:
    with LineStreamServer() as server:
        feed = opened(x_feed(server.url, KEY, Mentions(CASHTAGS)))
        wait_until(lambda: feed.statuses()[0].connections)
        server.send(x_post(1, "$WIF\u2028a line of its own"), x_post(2, "gm"), "garbage", x_post(1, "$WIF again"))
        server.send(json.dumps({"errors": [{"title": "operational-disconnect", "detail": KEY}]}), x_post(3, "$GOAT"))
        assert poll(feed, 2) == [WIF, GOAT]
        assert rejected(feed) == {"post without a token": 1, "malformed": 1, "error of the server": 1}
        path, headers = server.requests[0]
        assert path == "/2/tweets/search/stream?tweet.fields=created_at"
        assert headers["authorization"] == f"Bearer {KEY}"
        server.refuse(429, {"x-rate-limit-reset": str(int(datetime.now(UTC).timestamp()) + 900)})
        server.cut()
        wait_until(lambda: feed.poll(1, 0.01) and "429" in feed.statuses()[0].error)
        assert KEY not in repr(feed.statuses())
        attempts = server.attempts
        feed.poll(1, 0.3)
        assert server.attempts == attempts, "not before the time that X names"


@pytest.mark.parametrize("payload", ["", "[]", "{}", '{"data": {"id": "1", "text": "no time"}}', b"\xff"])
def test_a_line_without_a_post_is_malformed(payload) -> None:
    with pytest.raises(UnusableError, match="malformed"):
        XDecoder(Mentions(CASHTAGS))(payload)
