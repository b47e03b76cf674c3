"""The merged feed: several feeds as one, in the order of event time as far as that is known in time."""

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from memesnipe.errors import InputError
from memesnipe.feeds.arrival import Arrival
from memesnipe.feeds.base import END, IDLE, OWN_TS, Feed, FeedEvent, FeedStatus, Polled, ResumeToken
from memesnipe.market.events import NS_PER_S
from memesnipe.market.sequencer import MAX_FUTURE_NS, time_of

# Every live event waits this long while another feed is silent, so it is short: what arrives together is put in order.
# Providers deliver the same moment up to seconds apart; an event that is late gets the time of the one before it.
REORDER_WINDOW_S: Final = 0.002
MAX_HELD: Final = 2_048  # events of one feed; beyond that they are released without waiting for the others
# A trade has changed its pool also if it is reported a little late: without it, all that follows would be computed from
# a wrong pool. An event that is later than this describes the past, and is left to the sequencer to reject.
MAX_LATE_NS: Final = 10 * NS_PER_S
_SLICE_S: Final = 0.002  # of waiting, while an event of a feed that does not notify may arrive


class _Input:
    """One of the merged feeds, and its events that were polled and not released."""

    def __init__(self, name: str, feed: Feed, *, stamps_arrival: bool) -> None:
        self.name, self.feed, self.stamps_arrival = name, feed, stamps_arrival
        self.polled_at_ns = 0
        self.held: deque[tuple[FeedEvent, float]] = deque()  # with the time by the clock at which it was polled
        self.has_ended = False
        self.late = 0  # events that were given the time of an earlier one

    @property
    def is_missing(self) -> bool:
        """Whether the next event is not known yet."""
        return not self.held and not self.has_ended

    def may_precede(self, ts: int) -> bool:
        """Return whether the next event, not known yet, may have an earlier time."""
        return self.is_missing and not (self.stamps_arrival and ts <= self.polled_at_ns)

    @property
    def next_ts(self) -> int:
        """The time of the first held event."""
        return time_of(self.held[0][0].message)

    def fill(self, limit: int, timeout_s: float, clock: Callable[[], float], now_ns: Callable[[], int]) -> None:
        """Poll once; a feed that is not live only if nothing of it is held."""
        room = min(limit, MAX_HELD - len(self.held))
        if self.has_ended or room <= 0 or (self.held and not self.feed.live):
            return
        self.polled_at_ns = now_ns()
        polled = self.feed.poll(room, timeout_s)
        if polled is END:
            self.has_ended = True
        elif polled is not IDLE:
            now_s = clock()
            self.held.extend((event, now_s) for event in polled)


class MergedFeed:
    """Feeds merged by event time; of events with equal times, those of the feed named first come first.

    An event is released when each other feed has a later one, has ended, or stamps its events with the time of their
    arrival, which no later than the last poll they had not. A live feed without events is otherwise waited for
    only until the event has been held for the window. What it then delivers late, with a time before that of the last
    event released, gets that event's time if it is at most `MAX_LATE_NS` late, and is counted in the status of its
    feed; if later, it is delivered as it is, and rejected by the sequencer as out of order. The token is a JSON object
    with the token of each feed under its name.

    Args:
        feeds: the feeds by name, either all live or none.
        window_s: the maximum time for which an event is held.
        clock: returns monotonic seconds.
        now_ns: returns the time of day; an event far after it does not make the others late.
        arrival: notified by feeds of what they have received; None if no feed does so.
        stamping: names of the feeds whose events have the time at which they are polled.

    Raises:
        InputError: some of the feeds are live and others are not.
    """

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        window_s: float = REORDER_WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
        now_ns: Callable[[], int] = time.time_ns,
        arrival: Arrival | None = None,
        stamping: Collection[str] = (),
    ) -> None:
        self._arrival = arrival
        self.live = any(feed.live for feed in feeds.values())
        recorded = [name for name, feed in feeds.items() if not feed.live]
        if self.live and recorded:
            raise InputError(f"--feed {','.join(feeds)}: {recorded[0]} is not live, and the others are")
        totals = [feed.total for feed in feeds.values()]
        self.total = None if None in totals else sum(total or 0 for total in totals)
        self.assumptions: Mapping[str, Any] = {
            name: value for feed in feeds.values() for name, value in feed.assumptions.items()
        }
        self._inputs = [_Input(name, feed, stamps_arrival=name in stamping) for name, feed in feeds.items()]
        self._window_s, self._clock, self._now_ns = window_s, clock, now_ns
        self._last_ts = 0  # of the events released
        self._tokens: dict[str, ResumeToken] = {}

    def open(self, token: ResumeToken) -> None:
        """Open each feed with its token."""
        self._tokens = dict(token or {})
        for one in self._inputs:
            one.feed.open(self._tokens.get(one.name))

    def poll(self, limit: int, timeout_s: float) -> Polled:
        """Return the events that can be released; wait up to ``timeout_s`` seconds if there are none."""
        deadline_s = self._clock() + timeout_s
        wait_s = 0.0
        while True:
            self._fill(limit, wait_s)
            events = self._release(limit)
            if events:
                return events
            if all(one.has_ended and not one.held for one in self._inputs):
                return END
            left_s = deadline_s - self._clock()
            if left_s <= 0:
                return IDLE
            wait_s = min(left_s, _SLICE_S)
            if self._arrival is not None:
                self._arrival.wait(wait_s)
                wait_s = 0.0

    def _fill(self, limit: int, wait_s: float) -> None:
        """Poll every feed; wait for the first one whose next event is missing."""
        missing = next((one for one in self._inputs if one.is_missing), None)
        for one in self._inputs:
            one.fill(limit, wait_s if one is missing else 0.0, self._clock, self._now_ns)

    def _release(self, limit: int) -> list[FeedEvent]:
        released: list[FeedEvent] = []
        now_s = self._clock()
        full = [one for one in self._inputs if len(one.held) >= MAX_HELD]
        while len(released) < limit:
            holding = [one for one in self._inputs if one.held]
            if not holding:
                break
            first = min(holding, key=lambda one: one.next_ts)
            is_overdue = self.live and (first in full or now_s - first.held[0][1] >= self._window_s)
            next_ts = first.next_ts
            if not is_overdue and any(one.may_precede(next_ts) for one in self._inputs):
                break
            event, _ = first.held.popleft()
            self._tokens = {**self._tokens, first.name: event.token}
            message = self._in_order(first, event.message) if self.live else event.message
            released.append(FeedEvent(message, self._tokens))
        return released

    def _in_order(self, one: _Input, message: Any) -> Any:
        """Return a message of a live feed, with the time of the last one released if its own is a little earlier."""
        ts = time_of(message)
        if ts >= self._last_ts:
            # The sequencer rejects events of the future, so nothing is late because of them.
            self._last_ts = ts if ts <= self._now_ns() + MAX_FUTURE_NS else self._last_ts
        elif ts > 0 and self._last_ts - ts <= MAX_LATE_NS:
            one.late += 1
            return {OWN_TS: ts, **message, "ts": self._last_ts}
        return message

    def statuses(self) -> list[FeedStatus]:
        """Return the condition of each live source; the late events of a feed are in the status of its first one."""
        found: list[FeedStatus] = []
        for one in self._inputs:
            statuses = [replace(status, feed=status.feed or one.name) for status in one.feed.statuses()]
            found += [replace(status, late=one.late) for status in statuses[:1]] + statuses[1:]
        return found

    def close(self) -> None:
        """Close every feed."""
        for one in self._inputs:
            one.feed.close()
