"""Signals of the user's own: lines that are appended to a file."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memesnipe.feeds.base import IDLE, Feed
from memesnipe.feeds.decoded import UnusableError
from memesnipe.feeds.file_lines import MAX_LINE_BYTES, LinesSource
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.signals import decode_signal, signals_feed
from memesnipe.market.record_rules import error_of
from tests.feeds.harness import wait_until

SOCIAL = {"kind": "social", "mint": "MintA", "sentiment": 0.5, "mentions": 3.0}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "signals.jsonl"
    path.write_text("written before\n")
    return path


@pytest.fixture
def feed(path: Path) -> Iterator[LiveFeed]:
    feed = LiveFeed("lines", LinesSource(path, 0.005))
    feed.open(None)
    wait_until(lambda: feed.statuses()[0].connections)
    yield feed
    feed.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "feed lines"]


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def poll(feed: Feed, count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        polled = feed.poll(count, 10.0)
        assert polled is not IDLE
        found += polled
    return found


def test_lines_are_delivered_when_they_are_complete(path, feed) -> None:
    append(path, "one\ntw")
    assert [event.message for event in poll(feed, 1)] == [b"one\n"]
    assert feed.poll(1, 0.05) is IDLE
    append(path, "o\n\nthree\n")
    assert [event.message for event in poll(feed, 3)] == [b"two\n", b"\n", b"three\n"]


def test_reading_continues_after_the_token(path, feed) -> None:
    append(path, "one\ntwo\nthree\n")
    tokens = [event.token for event in poll(feed, 3)]
    again = LiveFeed("lines", LinesSource(path, 0.005))
    again.open(tokens[0])
    try:
        assert [event.message for event in poll(again, 2)] == [b"two\n", b"three\n"]
    finally:
        again.close()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda path: path.write_text(""), "has become shorter"),
        (lambda path: path.unlink(), "No such file"),
        (lambda path: (path.rename(path.with_suffix(".old")), path.write_text("x\n")), "was replaced"),
        (lambda path: append(path, "x" * (MAX_LINE_BYTES + 1)), "a line is longer than"),
    ],
)
def test_a_file_that_is_not_only_appended_to_is_an_error(path, feed, change, error) -> None:
    append(path, "one\n")
    poll(feed, 1)
    change(path)
    wait_until(lambda: error in feed.statuses()[0].error)


def test_a_signal_is_an_event_of_now_unless_it_has_a_time() -> None:
    [message] = decode_signal(json.dumps(SOCIAL), lambda: 5)
    assert message["ts"] == 5
    [message] = decode_signal(json.dumps({**SOCIAL, "ts": 1_793_000_000 * 10**9}), lambda: 5)
    assert message["ts"] == 1_793_000_000 * 10**9
    assert error_of(message) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\n", "malformed"),
        (b"\xff\n", "malformed"),
        (b"[1]\n", "malformed"),
        (b"{}\n", "kind not accepted"),
        (b'{"kind": ["social"]}\n', "kind not accepted"),
        (b'{"kind": "price"}\n', "kind not accepted"),
        (b'{"kind": "sol_price", "sol_usd": 1}\n', "kind not accepted"),
    ],
)
def test_a_line_that_is_no_signal_has_a_reason(line, reason) -> None:
    with pytest.raises(UnusableError) as caught:
        decode_signal(line)
    assert str(caught.value) == reason


def test_the_feed_delivers_signals_and_counts_the_other_lines(path) -> None:
    feed = signals_feed(path)
    feed.open(None)
    try:
        wait_until(lambda: feed.statuses()[0].connections)
        append(path, f"nonsense\n{json.dumps(SOCIAL)}\n")
        assert poll(feed, 1)[0].message["mentions"] == 3.0
        assert feed.statuses()[0].rejected == {"malformed": 1}
    finally:
        feed.close()
