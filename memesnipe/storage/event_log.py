"""The event log: every event of a run, as records in one file, written before anyone is told of them."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from memesnipe.market.events import EVENT, Events


class EventLog:
    """An append-only file of records; record ``i`` is the event numbered ``i + 1``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("ab")

    def cut(self, count: int) -> None:
        """Keep the first ``count`` events: what lies behind them was never committed, so nobody knows of it.

        Raises:
            OSError: the file is shorter than that; committed events are missing from it.
        """
        size = count * EVENT.itemsize
        if self._path.stat().st_size < size:
            raise OSError(f"{self._path} holds fewer than the {count} events that were committed")
        self._file.truncate(size)
        self._file.seek(size)

    def append(self, events: Events) -> None:
        """Write events and have them on the disk when this returns."""
        self._file.write(events.tobytes())
        self._file.flush()
        os.fsync(self._file.fileno())

    def read(self, first: int, last: int) -> Events:
        """The events numbered ``first`` to ``last``."""
        return _read(self._path, first, last)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(path: Path, first: int, last: int) -> Events:
    return np.fromfile(path, dtype=EVENT, count=max(0, last - first + 1), offset=(first - 1) * EVENT.itemsize)


def read_batches(path: Path, first: int, last: int, size: int = 50_000) -> Iterator[Events]:
    """The events numbered ``first`` to ``last`` of a log, so many at a time.

    Raises:
        OSError: the log cannot be read, or does not reach ``last``.
    """
    for start in range(first, last + 1, size):
        stop = min(start + size - 1, last)
        events = _read(path, start, stop)
        if len(events) != stop - start + 1:
            raise OSError(f"{path} ends before event {stop}")
        yield events
