"""The event log: every event of a run as a record in one file, written before the event is published.

Each record is followed by its own checksum (CRC-32), so the log can be truncated after any record and continued, and
a changed bit is detected in any record.
"""

import os
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.file_lock import try_lock
from memesnipe.market.events import EVENT, Events

_MAGIC: Final = b"memesnipe-log-2\n"
_RECORD: Final = np.dtype([("event", np.void, EVENT.itemsize), ("checksum", "<u4")])
_BATCH: Final = 50_000


class EventLog:
    """An append-only file of records; record ``i`` is the event numbered ``i + 1``.

    A lock makes the process that has the file open its only writer: a replaced process that has not detected its
    replacement could otherwise overwrite the records of its successor.

    Raises:
        OSError: another writer has the file open, or the file is no event log of this version.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._lock()
            if len(os.pread(self._fd, len(_MAGIC), 0)) < len(_MAGIC):  # a new file, or its writer died here
                self._write(_MAGIC, 0)
            _check_version(path)
        except OSError:
            self.close()
            raise

    def _lock(self) -> None:
        if not try_lock(self._fd):
            raise OSError(f"{self.path} is open in another writer, which must end first")

    def truncate(self, count: int) -> None:
        """Truncate the log after the first ``count`` events: later ones were never committed or published.

        Raises:
            OSError: the file is shorter; committed events are missing from it.
        """
        size = offset_after(count)
        if os.fstat(self._fd).st_size < size:
            raise OSError(f"{self.path} has fewer than the {count} committed events")
        os.ftruncate(self._fd, size)

    def append(self, events: Events) -> None:
        """Write events, each at the offset of its seq; they are on disk (fsync) when the method returns."""
        if not len(events):
            return
        records = np.empty(len(events), dtype=_RECORD)
        records["event"] = _as_bytes(events)
        records["checksum"] = _checksums(events)
        self._write(records.tobytes(), offset_after(int(events["seq"][0]) - 1))
        os.fsync(self._fd)

    def _write(self, content: bytes, offset: int) -> None:
        rest = memoryview(content)
        while rest:
            written = os.pwrite(self._fd, rest, offset)
            rest, offset = rest[written:], offset + written

    def read(self, first: int, last: int) -> Events:
        """Return the events numbered ``first`` to ``last``, as far as the log has them.

        Raises:
            OSError: one of them is damaged.
        """
        return _read(self.path, first, last)

    def first_at(self, ts: int, last: int) -> int:
        """Return the number of the first event at or after a time; see the function of this name."""
        return first_at(self.path, ts, last)

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def read_batches(path: Path, first: int, last: int, size: int = _BATCH) -> Iterator[Events]:
    """Yield the events numbered ``first`` to ``last`` of a log, in batches of ``size`` events.

    Raises:
        OSError: the log cannot be read, is damaged, or does not reach ``last``.
    """
    _check_version(path)
    for start in range(first, last + 1, size):
        stop = min(start + size - 1, last)
        events = _read(path, start, stop)
        if len(events) != stop - start + 1:
            raise OSError(f"{path} ends before event {stop}")
        yield events


def first_at(path: Path, ts: int, last: int) -> int:
    """Return the number of the first event at or after a time, among the first ``last`` events of a log.

    Returns:
        The number; ``last + 1`` if all of them are earlier.

    Raises:
        OSError: the log cannot be read, is damaged, or does not reach ``last``.
    """
    return (
        bisect_left(range(1, last + 1), ts, key=lambda number: int(next(read_batches(path, number, number))["ts"][0]))
        + 1
    )


def count_events(path: Path) -> float:
    """Return the number of events in a log, with a fraction if the log ends within a record."""
    return (path.stat().st_size - len(_MAGIC)) / _RECORD.itemsize


def count_whole(path: Path) -> int:
    """Return the number of events before the first damaged or incomplete one.

    Raises:
        OSError: the log cannot be read, or is no event log of this version.
    """
    _check_version(path)
    for start in range(1, int(count_events(path)) + 1, _BATCH):
        _, bad = _checked(path, start, start + _BATCH - 1)
        if bad.any():
            return start - 1 + int(np.argmax(bad))
    return int(count_events(path))


def damaged_ranges(path: Path, last: int) -> Iterator[str]:
    """Yield one line for each range of damaged events among the first ``last`` events of a log."""
    try:
        _check_version(path)
    except OSError as error:
        yield str(error)
        return
    damaged: list[int] = []
    for start in range(1, last + 1, _BATCH):
        _, bad = _checked(path, start, min(start + _BATCH - 1, last))
        damaged += [start + int(i) for i in np.flatnonzero(bad)]
    ranges = np.split(np.array(damaged), 1 + np.flatnonzero(np.diff(damaged) != 1)) if damaged else []
    for found in ranges:
        yield f"{path.name}: {_description(int(found[0]), int(found[-1]))}: the checksum or the seq does not match"


def _description(first: int, last: int) -> str:
    return f"event {first} is damaged" if first == last else f"events {first} to {last} are damaged"


def _read(path: Path, first: int, last: int) -> Events:
    events, bad = _checked(path, first, last)
    if bad.any():
        raise OSError(
            f"{path} is damaged: the checksum or the seq of event {first + int(np.argmax(bad))} does not match"
        )
    return events


def _checked(path: Path, first: int, last: int) -> tuple[Events, NDArray[np.bool_]]:
    """Return the events numbered ``first`` to ``last``, as far as the log has them, and a mask of the damaged ones."""
    offset = offset_after(first - 1)
    records = np.fromfile(path, dtype=_RECORD, count=max(0, last - first + 1), offset=offset)
    events = np.ascontiguousarray(records["event"]).view(EVENT)
    misplaced = events["seq"] != np.arange(first, first + len(events))
    return events, misplaced | (records["checksum"] != _checksums(events))


def _check_version(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise OSError(f"{path} is no event log of this version, or its first bytes are damaged")


def offset_after(count: int) -> int:
    """Return the offset in bytes behind the first ``count`` events."""
    return len(_MAGIC) + count * _RECORD.itemsize


def _as_bytes(events: Events) -> NDArray[Any]:
    return np.ascontiguousarray(events).view(np.dtype((np.void, EVENT.itemsize)))


def _checksums(events: Events) -> NDArray[np.uint32]:
    content, size = memoryview(events.tobytes()), EVENT.itemsize
    sums = (zlib.crc32(content[at : at + size]) for at in range(0, len(content), size))
    return np.fromiter(sums, dtype=np.uint32, count=len(events))
