"""The live feed: a thread reads a source and fills a bounded queue, from which market_data polls."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

from memesnipe.errors import first_line
from memesnipe.feeds.arrival import Arrival
from memesnipe.feeds.base import END, IDLE, FeedEvent, FeedStatus, Polled, ResumeToken, Signal
from memesnipe.feeds.retry import Backoff, SourceError
from memesnipe.telemetry.logs import without_secrets

# About 17 MB of messages, and at the rate of all of pump.fun (some 100 events/s) more than a minute of delay.
MAX_QUEUED: Final = 10_000  # events
# A connection that lasts so long works. A server that accepts connections and cuts them at once must not be asked ten
# times a second: public servers lock such clients out.
STABLE_S: Final = 10.0
_JOIN_S: Final = 2.0


class Source(Protocol):
    """A connection that delivers events as they happen."""

    def read(self, token: ResumeToken) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:
        """Connect, and yield the events after the one with this token as they arrive.

        Yields IDLE whenever the connection has proved to work without an event: after connecting, or when a ping was
        answered. Returning means that the source has ended for good.

        Raises:
            Exception: the connection failed; `read` will be called again, after the wait of a `SourceError`.
        """

    def close(self) -> None:
        """Make a blocked `read` return or raise. Another thread calls it."""


class LiveFeed:
    """One source, read by a thread of its own.

    When the queue is full the thread waits, which the source notices as back pressure. A thread that ends with an
    error is reported in the status, and `poll` starts another, with the token of the last event that was queued. The
    waits between failures grow until a connection has lasted `STABLE_S`.

    Args:
        name: name of the source in the status.
        source: the connection.
        capacity: maximum number of events in the queue.
        clock: returns monotonic seconds.
        arrival: notified of every event that was queued; None where nobody polls several feeds.
    """

    live = True
    total: int | None = None
    assumptions: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self,
        name: str,
        source: Source,
        capacity: int = MAX_QUEUED,
        clock: Callable[[], float] = time.monotonic,
        arrival: Arrival | None = None,
    ) -> None:
        self._arrival = arrival
        self._name, self._source, self._capacity, self._clock = name, source, capacity, clock
        self._queue: deque[FeedEvent] = deque()
        self._changed = threading.Condition()  # guards everything below
        self._token: ResumeToken = None  # of the last event queued
        self._thread: threading.Thread | None = None
        self._is_reading = self._has_ended = self._is_closed = False
        self._last_event_s = self._retry_at_s = 0.0
        self._connected_at_s: float | None = None
        self._backoff = Backoff(name)
        self._error = ""
        self._failures = self._connections = self._full = 0

    def open(self, token: ResumeToken) -> None:
        """Begin to read after the event with this token."""
        with self._changed:
            self._token, self._last_event_s = token, self._clock()
            self._start()

    def poll(self, limit: int, timeout_s: float) -> Polled:
        """Return up to ``limit`` queued events; wait up to ``timeout_s`` seconds if there are none."""
        deadline_s = self._clock() + timeout_s
        with self._changed:
            while not self._queue and not self._has_ended:
                now_s = self._clock()
                if not self._is_reading and now_s >= self._retry_at_s:
                    self._start()
                if now_s >= deadline_s:
                    return IDLE
                wake_at_s = deadline_s if self._is_reading else min(deadline_s, self._retry_at_s)
                self._changed.wait(wake_at_s - now_s)
            if not self._queue:
                return END
            events = [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]
            self._changed.notify_all()
            return events

    def _start(self) -> None:
        self._is_reading, self._connected_at_s = True, None
        name = f"feed {self._name}"
        self._thread = threading.Thread(target=self._read, args=(self._token,), name=name, daemon=True)
        self._thread.start()

    def _read(self, token: ResumeToken) -> None:
        """Queue the events of the source until it ends or fails, or the feed is closed."""
        try:
            with closing(self._source.read(token)) as events:
                for event in events:
                    if not self._put(event):
                        return
        except SourceError as error:
            self._stopped(without_secrets(first_line(error)), error.wait_s)
        except BaseException as error:  # noqa: BLE001 - whatever ends the thread is reported, and read on after it
            self._stopped(without_secrets(f"{type(error).__name__}: {first_line(error)}"))
        else:
            self._stopped("")

    def _put(self, event: FeedEvent | Literal[Signal.IDLE]) -> bool:
        """Queue an event, once there is room; return whether to read on."""
        with self._changed:
            if event is not IDLE and len(self._queue) >= self._capacity:
                self._full += 1
                self._changed.wait_for(lambda: len(self._queue) < self._capacity or self._is_closed)
            if self._is_closed:
                return False
            self._note_connection()
            if event is not IDLE:
                self._queue.append(event)
                self._token, self._last_event_s = event.token, self._clock()
                self._changed.notify_all()
                if self._arrival is not None:
                    self._arrival.notify()
            return True

    def _note_connection(self) -> None:
        now_s = self._clock()
        if self._connected_at_s is None:
            self._connected_at_s = now_s
            self._connections += 1
        elif now_s - self._connected_at_s >= STABLE_S:
            self._backoff.reset()
        self._error = ""

    def _stopped(self, error: str, wait_s: float = 0.0) -> None:
        with self._changed:
            self._is_reading = False
            if error:
                self._error = error
                self._retry_at_s = self._clock() + self._backoff.next_s(wait_s)
                self._failures += 1
            else:
                self._has_ended = True
            self._changed.notify_all()

    def statuses(self) -> list[FeedStatus]:
        """Return the condition of the source; [] once it has ended."""
        with self._changed:
            if self._has_ended:
                return []
            silent_s = self._clock() - self._last_event_s
            status = FeedStatus(self._name, silent_s, self._error, self._failures, len(self._queue), self._full)
            return [replace(status, connections=self._connections)]

    def close(self) -> None:
        """End the thread and the connection."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._source.close()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
