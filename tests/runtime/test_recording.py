"""A recording has every valid event of its feed once, whatever stops it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.errors import InputError
from memesnipe.feeds.base import IDLE, FeedEvent, Polled
from memesnipe.feeds.positioned import PositionedFeed
from memesnipe.market.assumptions import describe, with_feeds
from memesnipe.market.events import NS_PER_S
from memesnipe.runtime.recording import Recording
from memesnipe.tapes.history import open_tapes
from memesnipe.tapes.spans import TapePolicy
from memesnipe.tapes.tape import read_tape
from tests.support import CURVE, price_message

MINUTE = TapePolicy(0, 60)


class ListFeed(PositionedFeed):
    """A feed of these messages in small pieces."""

    assumptions = {"sol_usd": 200.0}  # noqa: RUF012

    def __init__(self, raw: list[Any], piece: int = 7) -> None:
        self.raw, self._piece = raw, piece

    def messages(self, position: int) -> Iterator[Any]:
        return iter(self.raw[position:])

    def poll(self, limit: int, timeout_s: float) -> Polled:
        return super().poll(min(limit, self._piece), timeout_s)


def trades(first_s: int, last_s: int) -> list[dict[str, Any]]:
    return [price_message(s, f"mint{s // 13}", "buy", CURVE, 1 + s, 1 + s) for s in range(first_s, last_s)]


def recorded(folder: Path) -> list[dict[str, Any]]:
    tapes = [read_tape(one.tape.path) for one in open_tapes([folder])]
    assert all(tape.assumptions == {"sol_usd": 200.0, "feeds": "list"} for tape in tapes)
    return [message for tape in tapes for message in tape.messages()]


def record(folder: Path, feed: Any, **limits: Any) -> Recording:
    with Recording(folder, feed, "list", policy=MINUTE) as made:
        while made.step(0.0, **limits):
            pass
    return made


def kill(made: Recording) -> None:
    """Release what the kernel releases of a killed process."""
    made._lock.close()
    if made._span is not None:
        made._span.close()


def test_a_feed_is_recorded_with_a_tape_for_each_span(tmp_path: Path) -> None:
    feed = trades(0, 200)
    raw: list[Any] = [*feed[:50], {"kind": "nonsense"}, None, feed[10], *feed[50:]]
    made = record(tmp_path, ListFeed(raw))
    assert recorded(tmp_path) == feed
    assert (made.events, made.first_ts, made.last_ts) == (200, feed[0]["ts"], feed[-1]["ts"])
    assert made.rejected == {"malformed": 2, "out_of_order": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", *made.tapes]
    assert len(made.tapes) == 4
    [first, *_] = open_tapes([tmp_path])
    assert len(read_tape(first.tape.path).mints) == 5, "a tape has the mints of its own events"


def test_a_recording_may_end_at_a_time(tmp_path: Path) -> None:
    feed = trades(0, 200)
    made = record(tmp_path, ListFeed(feed), until_ts=feed[99]["ts"])
    assert recorded(tmp_path) == feed[:99]
    assert made.events == 99
    later = record(tmp_path, ListFeed(feed[99:]))
    assert recorded(tmp_path) == feed
    assert later.recovered == ""


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 200), st.integers(1, 60), st.data())
def test_a_killed_recording_loses_nothing_that_was_recorded(
    tmp_path_factory: pytest.TempPathFactory, stop: int, piece: int, data: st.DataObject
) -> None:
    folder, feed = tmp_path_factory.mktemp("recording"), trades(0, 200)
    made = Recording(folder, ListFeed(feed, piece), "list", policy=MINUTE).__enter__()
    while made.events < stop:
        made.step(0.0)
    kill(made)
    torn = folder / "open.events"
    if torn.exists() and data.draw(st.booleans(), "torn"):  # a batch that was being written
        torn.write_bytes(torn.read_bytes() + data.draw(st.binary(max_size=300)))
    again = record(folder, ListFeed(feed[made.events :], piece))
    assert recorded(folder) == feed
    assert made.events + again.events == 200


class Crash(BaseException):
    """The process is killed here."""


def test_a_kill_at_any_file_operation_of_a_finished_span_loses_and_repeats_nothing(tmp_path: Path) -> None:
    feed = trades(0, 70)
    for operation in range(12):
        folder = tmp_path / str(operation)
        made = Recording(folder, ListFeed(feed), "list", policy=MINUTE).__enter__()
        done: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            for name in ("replace", "unlink"):
                patch.setattr(Path, name, _counted(done, operation, name, getattr(Path, name)))
            for name in ("seal", "_sync"):
                original = getattr(__import__("memesnipe.tapes.writer", fromlist=[name]), name)
                patch.setattr(f"memesnipe.tapes.writer.{name}", _counted(done, operation, name, original))
            with pytest.raises(Crash):
                while made.step(0.0):
                    pass
                made.__exit__(None, None, None)
        kill(made)
        record(folder, ListFeed(feed[made.events :]))
        assert recorded(folder) == feed, done[-1:]


def _counted(done: list[str], most: int, name: str, original: Any) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        if len(done) >= most:
            raise Crash
        done.append(name)
        return original(*arguments, **options)

    return call


def test_a_folder_with_later_tapes_is_refused(tmp_path: Path) -> None:
    feed = trades(0, 100)
    record(tmp_path, ListFeed(feed))
    with pytest.raises(InputError, match="record them into another folder"):
        record(tmp_path, ListFeed(feed))
    assert recorded(tmp_path) == feed


def test_a_folder_has_one_recording_at_a_time(tmp_path: Path) -> None:
    with (
        Recording(tmp_path, ListFeed(trades(0, 10)), "list"),
        pytest.raises(InputError, match="another process records into"),
        Recording(tmp_path, ListFeed([]), "list"),
    ):
        pass
    assert not list(tmp_path.glob("*.tape")), "no event was recorded"


def test_events_from_the_future_of_a_live_feed_are_rejected(tmp_path: Path) -> None:
    feed: Any = ListFeed(trades(0, 100))
    feed.live = True
    polls = iter([IDLE, [FeedEvent(feed.raw[0], None)], [FeedEvent(feed.raw[90], None)]])
    feed.poll = lambda *_: next(polls)
    with Recording(tmp_path, feed, "list", lambda: int(feed.raw[0]["ts"]) + NS_PER_S, MINUTE) as made:
        assert [made.step(0.0) for _ in range(3)] == [True] * 3
    assert (made.events, made.rejected) == (1, {"future": 1})


def test_a_recording_of_a_replay_keeps_the_feeds_of_its_tape() -> None:
    recorded = with_feeds({"sol_usd": 200.0}, "pumpfun,pyth")
    assert recorded["feeds"] == "pumpfun,pyth"
    assert with_feeds(recorded, "replay")["feeds"] == "replay (pumpfun,pyth)"
    assert "The events are recorded from the feed pumpfun,pyth." in describe(recorded)
