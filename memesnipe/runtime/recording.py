"""`memesnipe record`: records a feed to tapes without a running system.

The open span is in an event log with its mints, from which its tape is made when the span is over or the recording
stops. What a killed process has left is made a tape by the next recording into the same folder.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from memesnipe.errors import InputError
from memesnipe.feeds.base import END, IDLE, Feed
from memesnipe.file_lock import LockedError, PidLock
from memesnipe.market.assumptions import with_feeds
from memesnipe.market.events import NO_TOKEN, NS_PER_S, Events
from memesnipe.market.plausible import LAST_TS
from memesnipe.market.sequencer import Sequencer
from memesnipe.market.times import utc_text
from memesnipe.market.token_index import TokenIndex
from memesnipe.storage.event_log import EventLog, count_whole
from memesnipe.tapes.recorder import write_span
from memesnipe.tapes.spans import TapePolicy, last_ts_in, name_of, remove_partial

_BATCH: Final = 512
_POLICY: Final = TapePolicy(retention_s=0)
_OPEN: Final = "open"  # name of the files of the open span
_EVENTS, _MINTS, _LOCK = ".events", ".mints", ".lock"


class OpenSpan:
    """The events of one span on disk, with tokens of their own: a log of records, and a line for each mint."""

    def __init__(self, folder: Path) -> None:
        self._log = EventLog(folder / f"{_OPEN}{_EVENTS}")
        self._mints = (folder / f"{_OPEN}{_MINTS}").open("ab")
        self._index = TokenIndex()
        self.count = 0

    def append(self, events: Events, mints: list[str]) -> None:
        """Append events of a run whose tokens have these mints; they are on disk when the method returns."""
        known = len(self._index.mints)
        tokens, positions = np.unique(events["token"], return_inverse=True)
        numbers = [self._index.of(mints[token]) if token != NO_TOKEN else NO_TOKEN for token in tokens.tolist()]
        own = events.copy()
        own["token"] = np.array(numbers, np.int32)[positions.reshape(-1)]
        own["seq"] = np.arange(self.count + 1, self.count + 1 + len(own))
        if len(self._index.mints) > known:  # on disk before the events that need them
            self._mints.write("".join(f"{mint}\n" for mint in self._index.mints[known:]).encode())
            self._mints.flush()
            os.fsync(self._mints.fileno())
        self._log.append(own)
        self.count += len(own)

    def close(self) -> None:
        """Close the files."""
        self._log.close()
        self._mints.close()


def finish_span(folder: Path, assumptions: Mapping[str, Any]) -> str:
    """Make the tape of the open span in a folder, and remove its files; return the name of the tape, "" without events.

    The tape is named after its first event, so a repetition after a crash replaces it by an equal one.

    Raises:
        OSError: the files cannot be read or written.
        TapeError: the tape cannot be written.
    """
    events, mints = folder / f"{_OPEN}{_EVENTS}", folder / f"{_OPEN}{_MINTS}"
    name = ""
    if events.is_file() and mints.is_file():
        log = EventLog(events)
        try:
            count = count_whole(events)
            if count:
                name = name_of(int(log.read(1, 1)["ts"][0]))
                lines = mints.read_bytes().decode().split("\n")[:-1]
                write_span(folder / name, log, 1, count, lines, assumptions)
        finally:
            log.close()
    events.unlink(missing_ok=True)
    mints.unlink(missing_ok=True)
    return name


class Recording:
    """Context manager of a recording into a folder; leaving it makes the tape of the open span.

    Args:
        folder: of the tapes; nothing in it is ever deleted.
        feed: the source, not open yet.
        feeds: its name, for the tapes.
        now_ns: returns the time of day, for a live feed.
        policy: the spans.
    """

    def __init__(
        self,
        folder: Path,
        feed: Feed,
        feeds: str,
        now_ns: Callable[[], int] = time.time_ns,
        policy: TapePolicy = _POLICY,
    ) -> None:
        self._folder, self._feed, self._now_ns, self._policy = folder, feed, now_ns, policy
        self._assumptions = with_feeds(feed.assumptions, feeds)
        self._sequencer = Sequencer(1, 1)  # its decisions are not recorded
        self._span_ts = -1
        self._span: OpenSpan | None = None
        self.tapes: list[str] = []
        self.recovered = ""  # name of the tape of what a killed process had left
        self.events, self.first_ts, self.last_ts = 0, 0, 0
        self.rejected: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """Lock the folder, make the tape that a killed process has left to make, and open the feed.

        Raises:
            InputError: another process records into the folder.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = PidLock(self._folder / _LOCK)
        except LockedError:
            raise InputError(f"another process records into {self._folder}") from None
        remove_partial(self._folder)
        self.recovered = finish_span(self._folder, self._assumptions)
        self._recorded_until_ts = last_ts_in(self._folder)
        self._feed.open(None)
        return self

    def step(self, timeout_s: float, until_ts: int = LAST_TS) -> bool:
        """Record the next events; return whether more may follow.

        Args:
            timeout_s: the longest wait for an event.
            until_ts: events from this time on are not recorded, and end the recording.

        Raises:
            InputError: the folder has tapes of the same time.
            OSError: the events cannot be written.
            TapeError: a tape cannot be written.
        """
        polled = self._feed.poll(_BATCH, timeout_s)
        if polled is END:
            return False
        if polled is IDLE:
            return True
        now_ns = self._now_ns() if self._feed.live else None
        stamped, rejected = self._sequencer.stamp([event.message for event in polled], now_ns=now_ns)
        self.rejected.update(r.category for r in rejected)
        wanted = stamped[: int(np.searchsorted(stamped["ts"], until_ts))]
        spans = wanted["ts"] // self._policy.span_ns
        for part in np.split(np.arange(len(wanted)), np.flatnonzero(np.diff(spans)) + 1):
            if len(part):
                self._append(wanted[part[0] : part[-1] + 1])
        return len(wanted) == len(stamped)

    def _append(self, events: Events) -> None:
        """Append events of one span; make a tape of the previous one if it is over."""
        ts = int(events["ts"][0])
        if self.events == 0:
            if ts // NS_PER_S <= self._recorded_until_ts // NS_PER_S:
                raise InputError(
                    f"{self._folder} has tapes of events up to {utc_text(self._recorded_until_ts)}, and those of the "
                    f"feed begin at {utc_text(ts)}: record them into another folder"
                )
            self.first_ts = ts
        if self._policy.start_of(ts) != self._span_ts:
            self._finish_span()
            self._span_ts = self._policy.start_of(ts)
        if self._span is None:
            self._span = OpenSpan(self._folder)
        self._span.append(events, self._sequencer.mints)
        self.events += len(events)
        self.last_ts = int(events["ts"][-1])

    def _finish_span(self) -> None:
        if self._span is not None:
            self._span.close()
            self._span = None
            self.tapes.append(finish_span(self._folder, self._assumptions))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the feed, make the tape of the open span, and release the folder."""
        self._feed.close()
        try:
            self._finish_span()
        finally:
            self._lock.close()
