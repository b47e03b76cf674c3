"""The window of a generation depends on the events alone, not on how they are divided into slices."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.evolution.spans import cut, span_of, window_spans
from memesnipe.evolution.window import MAX_GAP_NS, Slice, Window, latest, slices_between_gaps
from memesnipe.market.events import NS_PER_S, Events, empty, join, take
from memesnipe.stats.splits import Span

STEPS = st.sampled_from([0, 1, 20 * NS_PER_S, MAX_GAP_NS, MAX_GAP_NS + 1, MAX_GAP_NS + 2, 100 * MAX_GAP_NS])


def events_at(ts: list[int]) -> Events:
    events = empty(len(ts))
    events["ts"], events["seq"] = ts, np.arange(1, len(ts) + 1)
    return events


def newest_first(events: Events, size: int) -> Iterator[Slice]:
    for start in reversed(range(0, len(events), size)):
        part = events[start : start + size]
        yield from reversed(slices_between_gaps(str(start), part, lambda i, j, p=part: p[i:j], is_final=True))


def content(window: Window) -> Events:
    return cut(join(*(s.load() for s in window.slices)), window.span)


@given(st.lists(STEPS, min_size=1, max_size=40), st.integers(1, 9), st.integers(1, 5 * MAX_GAP_NS))
def test_a_window_has_the_last_recorded_time(steps: list[int], size: int, length_ns: int) -> None:
    events = events_at((10**18 + np.cumsum(steps)).tolist())
    ts = events["ts"].tolist()
    limit = ts[-1] + 1 - length_ns
    for earlier, later in zip(ts[-2::-1], ts[:0:-1], strict=True):
        if later <= limit:
            break
        if later - earlier - 1 > MAX_GAP_NS:
            limit -= later - earlier - 1
    window = latest(newest_first(events, size), length_ns)
    assert window.start_ts == max(limit, ts[0])
    assert content(window).tobytes() == take(events, events["ts"] >= limit).tobytes()
    assert window.count == len(content(window))


@given(st.lists(st.integers(0, MAX_GAP_NS), min_size=1, max_size=30), st.integers(1, 9))
def test_without_gaps_a_window_is_divided_by_time(steps: list[int], size: int) -> None:
    events = events_at((10**18 + np.cumsum(steps)).tolist())
    window = latest(newest_first(events, size), 10**18)
    assert window.segment_spans() == window_spans(span_of(events))


def test_a_gap_is_in_no_segment() -> None:
    hour = 3_600 * NS_PER_S
    ts = [10**18 + i * 60 * NS_PER_S for i in range(101)]
    later = [t + 1_000 * hour for t in ts]
    window = latest(newest_first(events_at(ts + later), 7), 5 * hour)
    train, validation = window.segment_spans()
    assert (train.start_ts, validation.stop_ts) == (ts[0], later[-1] + 1)
    assert 0 < train.stop_ts - ts[-1] <= 60 * NS_PER_S, "half of the recorded time is on each side"
    assert 0 < validation.start_ts - later[0] < 0.02 * hour + 200 * NS_PER_S
    shorter = latest(newest_first(events_at(ts + later), 7), 2 * hour)
    assert shorter.start_ts == ts[-1] + 1 - (2 * hour - (later[-1] + 1 - later[0]))
    assert shorter.count == 101 + 20


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (150, 151), (199, 200), (90, 210)])
def test_the_slices_of_a_span_have_all_of_its_events(start: int, stop: int) -> None:
    events = events_at([10**18 + i // 3 for i in range(300)])
    window = latest(newest_first(events, 10), 10**9)
    span = Span(int(events["ts"][start]), int(events["ts"][stop - 1]) + 1)
    slices = window.within(span)
    assert cut(join(*(s.load() for s in slices)), span).tobytes() == cut(events, span).tobytes()
    assert len(slices) <= (stop - start) // 10 + 2


def test_equal_keys_have_equal_events() -> None:
    events = events_at([10**18, 10**18 + 1, 10**18 + 3 * MAX_GAP_NS, 10**18 + 3 * MAX_GAP_NS + 1])
    some = slices_between_gaps("x", events[:3], lambda i, j: events[i:j], is_final=False)
    more = slices_between_gaps("x", events, lambda i, j: events[i:j], is_final=True)
    assert [s.is_final for s in some] == [True, False]
    assert some[0].key == more[0].key
    assert some[1].key != more[1].key
