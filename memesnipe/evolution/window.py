"""The window of a generation: the latest hours of the market, as a sequence of slices.

Hours are recorded time. Between a tape of yesterday and a run of today nothing was recorded: such a gap takes no time
from the window, and none from its training or its validation segment.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from memesnipe.evolution.spans import window_spans
from memesnipe.market.events import NS_PER_S, Events
from memesnipe.stats.splits import Span

# Without an event for longer, nothing was recorded: any market has one in an hour, and every token is dead by then.
MAX_GAP_NS: Final = 3_600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive events without a gap, which are read when they are needed."""

    key: str  # slices with equal keys have equal events
    span: Span
    count: int
    is_final: bool  # whether later windows may have this slice too
    load: Callable[[], Events]


@dataclass(frozen=True, slots=True)
class Window:
    """Slices in order of time; of the first one only the events from ``start_ts`` on belong to the window."""

    slices: tuple[Slice, ...]
    start_ts: int
    count: int  # of its events

    @property
    def span(self) -> Span:
        """The time of the window, gaps included."""
        return Span(self.start_ts, self.slices[-1].span.stop_ts)

    def segment_spans(self) -> tuple[Span, Span]:
        """Divide the recorded time into a training and a later validation segment."""
        stretches = list(self._stretches())
        train, validation = window_spans(Span(0, sum(s.stop_ts - s.start_ts for s in stretches)))
        return _in_event_time(train, stretches), _in_event_time(validation, stretches)

    def _stretches(self) -> Iterator[Span]:
        """Yield the spans without gaps."""
        start_ts = self.start_ts
        for slice_, later in pairwise(self.slices):
            if later.span.start_ts - slice_.span.stop_ts > MAX_GAP_NS:
                yield Span(start_ts, slice_.span.stop_ts)
                start_ts = later.span.start_ts
        yield Span(start_ts, self.slices[-1].span.stop_ts)

    def within(self, span: Span) -> tuple[Slice, ...]:
        """Return the slices with events in a span; their other events must be cut off."""
        return tuple(s for s in self.slices if s.span.start_ts < span.stop_ts and s.span.stop_ts > span.start_ts)


def _in_event_time(recorded: Span, stretches: list[Span]) -> Span:
    """Return the span of event time for one in recorded time, which counts from the start of the first stretch."""

    def convert(offset_ns: int, *, is_stop: bool) -> int:
        for stretch in stretches[:-1]:
            length_ns = stretch.stop_ts - stretch.start_ts
            if offset_ns < length_ns or (is_stop and offset_ns == length_ns):
                return stretch.start_ts + offset_ns
            offset_ns -= length_ns
        return stretches[-1].start_ts + offset_ns

    return Span(convert(recorded.start_ts, is_stop=False), convert(recorded.stop_ts, is_stop=True))


def latest(newest_first: Iterator[Slice], length_ns: int) -> Window:
    """Return the window with the last ``length_ns`` of recorded time, or all of it if that is less.

    Args:
        newest_first: the slices, at least one, in reverse order of time.
        length_ns: the recorded time.
    """
    taken = [next(newest_first)]
    limit_ts = taken[0].span.stop_ts - length_ns
    for older in newest_first:
        begins_ts = taken[-1].span.start_ts
        gap_ns = begins_ts - older.span.stop_ts
        if gap_ns > MAX_GAP_NS and begins_ts > limit_ts:
            limit_ts -= gap_ns
        elif older.span.stop_ts <= limit_ts:
            break
        taken.append(older)
    else:
        limit_ts = max(limit_ts, taken[-1].span.start_ts)
    oldest, start_ts = taken[-1], limit_ts
    earlier = np.searchsorted(oldest.load()["ts"], start_ts) if start_ts > oldest.span.start_ts else 0
    return Window(tuple(reversed(taken)), start_ts, sum(s.count for s in taken) - int(earlier))


def slices_between_gaps(key: str, events: Events, load: Callable[[int, int], Events], *, is_final: bool) -> list[Slice]:
    """Divide events where nothing was recorded for a time.

    Args:
        key: of the events; equal keys have equal events.
        events: one or more, in order of time.
        load: returns the events from one index to another, read again.
        is_final: whether no event will follow the last one.
    """
    ts = events["ts"]
    cuts = [0, *(np.flatnonzero(np.diff(ts) > MAX_GAP_NS) + 1).tolist(), len(events)]
    return [
        Slice(
            f"{key}[{start}:{stop}]",
            Span(int(ts[start]), int(ts[stop - 1]) + 1),
            stop - start,
            is_final or stop < len(events),
            _Part(load, start, stop),
        )
        for start, stop in pairwise(cuts)
    ]


@dataclass(frozen=True, slots=True)
class _Part:
    load: Callable[[int, int], Events]
    start: int
    stop: int

    def __call__(self) -> Events:
        return self.load(self.start, self.stop)
