"""A merged feed: the order of its events, the reorder window, and its token."""

import heapq
import random
import time
from itertools import islice
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.errors import InputError
from memesnipe.feeds.arrival import Arrival
from memesnipe.feeds.base import END, IDLE, OWN_TS, FeedEvent, FeedStatus, Polled
from memesnipe.feeds.choice import FeedChoice, make_feed
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.merge import MAX_HELD, MAX_LATE_NS, MergedFeed
from memesnipe.feeds.positioned import PositionedFeed
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.sequencer import MAX_FUTURE_NS, Sequencer
from memesnipe.tapes.tape import Tape, write_tape
from memesnipe.testing.live_source import ScriptedSource

WINDOW_S = 0.25


def message(ts: int, name: str = "") -> dict[str, Any]:
    return {"ts": ts, "name": name}


class Recorded(PositionedFeed):
    def __init__(self, *times: int, name: str = "") -> None:
        self.all = [message(ts, name) for ts in times]
        self.total = len(times)

    def messages(self, position: int) -> Any:
        return iter(self.all[position:])


class Arriving:
    """A live feed without a thread: events arrive when the test says so, and polling it moves the test's clock."""

    live = True
    total = None
    assumptions: ClassVar[dict[str, Any]] = {}

    def __init__(self, clock: "Clock", name: str) -> None:
        self.clock, self.name = clock, name
        self.arrived: list[FeedEvent] = []
        self.opened_with: Any = None
        self.count = 0
        self.has_ended = self.is_closed = False

    def arrive(self, *times: int) -> None:
        for ts in times:
            self.count += 1
            self.arrived.append(FeedEvent(message(ts, self.name), f"{self.name}{self.count}"))

    def open(self, token: Any) -> None:
        self.opened_with = token

    def poll(self, limit: int, timeout_s: float) -> Polled:
        if self.arrived:
            found, self.arrived = self.arrived[:limit], self.arrived[limit:]
            return found
        if self.has_ended:
            return END
        self.clock.now_s += timeout_s
        return IDLE

    def statuses(self) -> list[FeedStatus]:
        return [FeedStatus(self.name, 1.0)]

    def close(self) -> None:
        self.is_closed = True


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def live() -> tuple[MergedFeed, Arriving, Arriving, Clock]:
    clock = Clock()
    a, b = Arriving(clock, "a"), Arriving(clock, "b")
    merged = MergedFeed({"a": a, "b": b}, WINDOW_S, clock=clock)
    merged.open(None)
    return merged, a, b, clock


def times(polled: Polled) -> list[int]:
    assert isinstance(polled, list), polled
    return [event.message["ts"] for event in polled]


def drain(feed: Any, limit: int) -> list[FeedEvent]:
    found: list[FeedEvent] = []
    while (polled := feed.poll(limit, 0.0)) is not END:
        assert isinstance(polled, list)
        assert len(polled) <= limit
        found += polled
    return found


@pytest.mark.parametrize("limit", [1, 2, 7, 512])
def test_recorded_feeds_are_merged_by_time_whatever_the_size_of_batches(limit: int) -> None:
    draw = random.Random(3)
    made = {name: sorted(draw.choices(range(100), k=count)) for name, count in (("a", 60), ("b", 31), ("c", 0))}
    merged = MergedFeed({name: Recorded(*ts, name=name) for name, ts in made.items()})
    assert (merged.total, merged.live, merged.statuses()) == (91, False, [])
    merged.open(None)
    found = [(e.message["ts"], e.message["name"]) for e in drain(merged, limit)]
    assert found == list(heapq.merge(*([(ts, n) for ts in all_of] for n, all_of in made.items()), key=lambda x: x[0]))


def test_a_merged_feed_continues_after_any_token() -> None:
    def opened(token: Any) -> MergedFeed:
        merged = MergedFeed({"a": Recorded(1, 3, 5, 7, name="a"), "b": Recorded(2, 3, 6, name="b")})
        merged.open(token)
        return merged

    whole = drain(opened(None), 100)
    assert whole[2].token == {"a": 2, "b": 1}
    for i, event in enumerate(whole):
        assert drain(opened(event.token), 2) == whole[i + 1 :]


def test_live_events_are_ordered_while_both_feeds_deliver(live) -> None:
    merged, a, b, clock = live
    a.arrive(1, 4, 5)
    b.arrive(2, 3, 6)
    assert times(merged.poll(100, 0.0)) == [1, 2, 3, 4, 5]
    assert clock.now_s == 0.0, "nothing is waited for"


def test_a_quiet_feed_is_waited_for_no_longer_than_the_window(live) -> None:
    merged, a, _, clock = live
    a.arrive(10, 11)
    assert merged.poll(100, 0.0) is IDLE
    assert times(merged.poll(100, 5.0)) == [10, 11]
    assert clock.now_s == pytest.approx(WINDOW_S, abs=0.02)
    assert merged.poll(100, 0.0) is IDLE


def test_an_event_that_arrives_within_the_window_is_put_in_order(live) -> None:
    merged, a, b, _ = live
    a.arrive(10, 12)
    assert merged.poll(100, 0.1) is IDLE
    b.arrive(9, 11)
    assert times(merged.poll(100, 0.0)) == [9, 10, 11]
    assert times(merged.poll(100, 5.0)) == [12]


def test_no_event_waits_for_a_feed_whose_next_one_cannot_be_earlier() -> None:
    clock = Clock()
    a, b = Arriving(clock, "a"), Arriving(clock, "b")
    merged = MergedFeed({"a": a, "b": b}, WINDOW_S, clock=clock, now_ns=lambda: 100, stamping=["a"])
    merged.open(None)
    b.arrive(100)
    assert times(merged.poll(100, 5.0)) == [100]
    assert clock.now_s == 0.0
    b.arrive(101)  # after the time at which the other was polled: it may still have an earlier one
    assert times(merged.poll(100, 5.0)) == [101]
    assert clock.now_s == pytest.approx(WINDOW_S, abs=0.01)
    a.arrive(102)  # of the other, not stamped on arrival, an earlier one may follow
    assert times(merged.poll(100, 5.0)) == [102]
    assert clock.now_s == pytest.approx(2 * WINDOW_S, abs=0.01)


def test_an_arrival_ends_the_wait_for_any_feed() -> None:
    arrival, source, silent = Arrival(), ScriptedSource(), ScriptedSource()
    feeds = {"silent": LiveFeed("silent", silent), "b": LiveFeed("b", source, arrival=arrival)}
    waits: list[float] = []
    wait = arrival.wait

    def recorded(timeout_s: float) -> None:
        waits.append(timeout_s)
        source.deliver(message(1))  # while the thread that polls waits
        wait(60.0)  # only the arrival can end it

    arrival.wait = recorded  # type: ignore[method-assign]
    merged = MergedFeed(feeds, clock=time.monotonic, arrival=arrival, stamping=["silent"])
    merged.open(None)
    began_s = time.monotonic()
    assert times(merged.poll(100, 5.0)) == [1]
    assert time.monotonic() - began_s < 30.0
    assert len(waits) == 1
    merged.close()


def test_a_burst_is_not_throttled_by_a_quiet_feed(live) -> None:
    merged, a, _, clock = live
    a.arrive(*range(1, 3 * MAX_HELD + 1))
    found: list[int] = []
    while clock.now_s < 2 * WINDOW_S:
        polled = merged.poll(512, 0.05)
        found += times(polled) if polled is not IDLE else []
    assert found == list(range(1, 3 * MAX_HELD + 1))


def test_a_feed_that_has_ended_is_not_waited_for_and_the_end_is_that_of_all(live) -> None:
    merged, a, b, clock = live
    b.has_ended = True
    a.arrive(1)
    assert times(merged.poll(100, 5.0)) == [1]
    assert clock.now_s == 0.0
    assert merged.poll(100, 0.0) is IDLE
    a.has_ended = True
    assert merged.poll(100, 0.0) is END


def test_tokens_of_live_feeds_are_those_of_the_released_events(live) -> None:
    merged, a, b, clock = live
    a.arrive(1, 4)
    b.arrive(2, 3)
    first = merged.poll(2, 0.0)
    assert [event.token for event in first] == [{"a": "a1"}, {"a": "a1", "b": "b1"}]
    again = MergedFeed({"a": (a2 := Arriving(clock, "a")), "b": (b2 := Arriving(clock, "b"))})
    again.open(first[-1].token)
    assert (a2.opened_with, b2.opened_with) == ("a1", "b1")
    again.close()
    assert a2.is_closed
    assert b2.is_closed
    assert [status.name for status in merged.statuses()] == ["a", "b"]


def test_a_message_without_a_time_stops_nothing(live) -> None:
    merged, a, b, _ = live
    a.arrive(5)
    b.arrived.append(FeedEvent(None, "b1"))
    assert [event.message for _ in range(2) for event in merged.poll(100, 5.0)] == [None, message(5, "a")]


def test_a_late_event_gets_the_time_of_the_last_one_and_is_counted(live) -> None:
    merged, a, b, _ = live
    second = 10**9
    a.arrive(100 * second)
    assert times(merged.poll(100, 5.0)) == [100 * second]
    b.arrive(98 * second, 101 * second)
    a.arrive(102 * second)
    polled = merged.poll(100, 0.0)
    assert [(e.message["ts"], e.message["name"]) for e in polled] == [(100 * second, "b"), (101 * second, "b")]
    assert [event.message.get(OWN_TS) for event in polled] == [98 * second, None]
    assert [(status.name, status.late) for status in merged.statuses()] == [("a", 0), ("b", 1)]


def test_an_event_that_is_far_too_late_keeps_its_time(live) -> None:
    merged, a, b, _ = live
    a.arrive(MAX_LATE_NS + 100)
    assert times(merged.poll(100, 5.0)) == [MAX_LATE_NS + 100]
    b.arrive(99, 100)
    assert times(merged.poll(100, 5.0)) == [99, MAX_LATE_NS + 100]
    assert [status.late for status in merged.statuses()] == [0, 1]


def test_an_event_of_the_future_makes_no_other_late() -> None:
    clock = Clock()
    a, b = Arriving(clock, "a"), Arriving(clock, "b")
    merged = MergedFeed({"a": a, "b": b}, WINDOW_S, clock=clock, now_ns=lambda: 100)
    merged.open(None)
    a.arrive(101 + MAX_FUTURE_NS)
    b.arrive(5)
    assert times(merged.poll(100, 5.0)) == [5]
    assert times(merged.poll(100, 5.0)) == [101 + MAX_FUTURE_NS]
    b.arrive(7)
    assert times(merged.poll(100, 5.0)) == [7]
    assert [status.late for status in merged.statuses()] == [0, 0]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3 * MAX_LATE_NS), st.booleans()), max_size=40))
def test_merged_live_events_are_in_order_except_those_far_too_late(arrivals) -> None:
    clock = Clock()
    feeds = {"a": Arriving(clock, "a"), "b": Arriving(clock, "b")}
    merged = MergedFeed(feeds, WINDOW_S, clock=clock)
    merged.open(None)
    found: list[int] = []
    for name, ts, is_polled in arrivals:
        feeds[name].arrive(ts)
        while is_polled and (polled := merged.poll(100, 1.0)) is not IDLE:
            found += times(polled)
    while (polled := merged.poll(100, 1.0)) is not IDLE:
        found += times(polled)
    assert len(found) == len(arrivals)
    highest = 0
    for ts in found:
        assert ts >= highest or highest - ts > MAX_LATE_NS
        highest = max(highest, ts)


def test_a_live_feed_is_not_merged_with_a_recorded_one() -> None:
    with pytest.raises(InputError, match="--feed live,tape: tape is not live"):
        MergedFeed({"live": Arriving(Clock(), "live"), "tape": Recorded(1)})


def test_chosen_feeds_are_merged_and_identified_together(tmp_path) -> None:
    messages = list(islice(SyntheticFeed(5).messages(0), 200))
    sequencer = Sequencer(60, 600)
    events, _ = sequencer.stamp(messages)
    write_tape(tmp_path / "a.tape", Tape(events, sequencer.mints))
    choice = FeedChoice("synthetic,replay", 1.0, str(tmp_path / "a.tape"), seed=7)
    feed = make_feed(choice)
    assert feed.total is None
    feed.open(None)
    polled = feed.poll(300, 0.0)
    while len(polled) < 300:
        polled += feed.poll(300 - len(polled), 0.0)
    expected = heapq.merge(SyntheticFeed(7).messages(0), messages, key=lambda m: m["ts"])
    assert [event.message["ts"] for event in polled] == [m["ts"] for m in islice(expected, 300)]
    assert polled[-1].token["synthetic"] + polled[-1].token["replay"] == 300
    assert choice.identity == "synthetic:7," + FeedChoice("replay", 1.0, str(tmp_path / "a.tape")).identity
