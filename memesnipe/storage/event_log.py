"""The event log: every event of a run, as records in one file, written before anyone is told of them."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from memesnipe.market.events import EVENT, Events


class EventLog:
    """An append-only file of records; record ``i`` is the event numbered ``i + 1``.

    Who has it open is its only writer: one that was replaced and has yet to notice may write until then, and its
    records must not lie where those of its successor are.

    Raises:
        OSError: another writer has it open.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise OSError(f"{path} has another writer; this one waits until it is gone") from error

    def cut(self, count: int) -> None:
        """Keep the first ``count`` events: what lies behind them was never committed, so nobody knows of it.

        Raises:
            OSError: the file is shorter than that; committed events are missing from it.
        """
        size = count * EVENT.itemsize
        if os.fstat(self._fd).st_size < size:
            raise OSError(f"{self._path} holds fewer than the {count} events that were committed")
        os.ftruncate(self._fd, size)

    def append(self, events: Events) -> None:
        """Write events, each in its own place, and have them on the disk when this returns."""
        if not len(events):
            return
        place = (int(events["seq"][0]) - 1) * EVENT.itemsize
        rest = memoryview(events.tobytes())
        while rest:
            written = os.pwrite(self._fd, rest, place)
            rest, place = rest[written:], place + written
        os.fsync(self._fd)

    def read(self, first: int, last: int) -> Events:
        """The events numbered ``first`` to ``last``."""
        return _read(self._path, first, last)

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def _read(path: Path, first: int, last: int) -> Events:
    events = np.fromfile(path, dtype=EVENT, count=max(0, last - first + 1), offset=(first - 1) * EVENT.itemsize)
    misplaced = np.flatnonzero(events["seq"] != np.arange(first, first + len(events)))
    if len(misplaced):
        raise OSError(f"{path} is damaged: event {first + misplaced[0]} is not in its place")
    return events


def read_batches(path: Path, first: int, last: int, size: int = 50_000) -> Iterator[Events]:
    """The events numbered ``first`` to ``last`` of a log, so many at a time.

    Raises:
        OSError: the log cannot be read, is damaged, or does not reach ``last``.
    """
    for start in range(first, last + 1, size):
        stop = min(start + size - 1, last)
        events = _read(path, start, stop)
        if len(events) != stop - start + 1:
            raise OSError(f"{path} ends before event {stop}")
        yield events
