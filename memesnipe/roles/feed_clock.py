"""The clock of a feed: when events are due by this machine's clock, and which are too late to act on."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from memesnipe.market.events import NS_PER_S


class FeedClock:
    """Paces a feed by this machine's clock; in lockstep every event is due at once. The caller passes the time."""

    def __init__(self, speed: float, max_age_s: float, *, live: bool, lockstep: bool) -> None:
        self._speed, self._max_age_s = speed, max_age_s
        self._live, self._lockstep = live, lockstep
        self._began_s = 0.0
        self._first_ts: int | None = None
        self._unread: deque[tuple[int, float]] = deque()  # last event and publication time of each batch

    def begin(self, now_s: float) -> None:
        """Start the clock: the next event is due now, and no published event is unread."""
        self._began_s, self._first_ts = now_s, None
        self._unread.clear()

    def due_in_s(self, ts: int, now_s: float) -> float:
        """Return the seconds until an event of this time is due: 0 or less if it is, and always for a live feed."""
        if self._lockstep or self._live:
            return 0.0
        if self._first_ts is None:
            self._first_ts = ts
        return self._began_s + (ts - self._first_ts) / NS_PER_S / self._speed - now_s

    def published(self, seq: int, now_s: float) -> None:
        """Record that the events up to ``seq`` were published."""
        if not self._lockstep:
            self._unread.append((seq, now_s))

    def consumed(self, seq: int) -> None:
        """Record that the executor has consumed the events up to ``seq``."""
        while self._unread and self._unread[0][0] <= seq:
            self._unread.popleft()

    def are_late(self, ts: NDArray[np.int64], now_s: float, now_ns: int) -> NDArray[np.bool_]:
        """Return which events are late: by their own time, or because the executor has not consumed older ones yet.

        Args:
            ts: times of events, shape (n,).
            now_s: monotonic seconds, as for the other methods.
            now_ns: the time of day, with which events of a live feed are compared.
        """
        if self._lockstep or not len(ts):
            return np.zeros(len(ts), np.bool_)
        if self._unread and now_s - self._unread[0][1] > self._max_age_s:
            return np.ones(len(ts), np.bool_)
        if self._live:
            age_s = (now_ns - ts) / NS_PER_S
        else:
            first_ts = self._first_ts if self._first_ts is not None else int(ts[0])
            age_s = now_s - self._began_s - (ts - first_ts) / NS_PER_S / self._speed
        late: NDArray[np.bool_] = age_s > self._max_age_s
        return late
