"""The event log: every event of a run, as records in one file, written before anyone is told of them."""

import os
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
        count = max(0, last - first + 1)
        return np.fromfile(self._path, dtype=EVENT, count=count, offset=(first - 1) * EVENT.itemsize)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
