"""Tapes: recorded events in a Parquet file, in order of time.

Reading validates all events by the rules of `memesnipe.market.record_rules`. Every page has a checksum, and the
metadata has a digest of the whole file: a file with a changed bit is rejected.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memesnipe.errors import TapeError, first_line
from memesnipe.market.codec import to_messages
from memesnipe.market.events import KIND_NAMES, Events, empty, join
from memesnipe.market.record_rules import ASSIGNED_BY_A_RUN
from memesnipe.market.token_index import TokenIndex
from memesnipe.market.validation import Findings, validate
from memesnipe.tapes.arrow import null_error, schema_error, to_events
from memesnipe.tapes.checksum import is_whole
from memesnipe.tapes.writer import FORMAT, TapeWriter, can_be_described

_OLDER_FORMATS: Final = ("memesnipe-tape-1",)  # without checksums, so that damage could not be detected
_ROWS_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Tape:
    """Events, shape (n,), dtype EVENT, the mint of each token index, and the assumptions behind the events.

    `assumptions` is JSON-ready. Its key "pools" means that the pools were not recorded but assumed; then no result on
    the tape is promotable.
    """

    events: Events
    mints: list[str]
    assumptions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pools_are_assumed(self) -> bool:
        """Whether the pools were assumed."""
        return "pools" in self.assumptions

    def messages(self, start: int = 0, stop: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the events in the form of a feed's messages."""
        for message in to_messages(self.events[start:stop], self.mints):
            for name in ASSIGNED_BY_A_RUN:
                del message[name]
            yield message

    def validate(self, *, now_ns: int | None = None) -> Findings:
        """Validate the events."""
        return validate(self.events, self.mints, now_ns=now_ns)

    def summary(self) -> dict[str, Any]:
        """Return the counts by kind and the span of time."""
        kinds, counts = np.unique(self.events["kind"], return_counts=True)
        return {
            "events": len(self.events),
            "tokens": len(self.mints),
            "kinds": {KIND_NAMES[int(k)]: int(c) for k, c in zip(kinds, counts, strict=True)},
            "from_ts": int(self.events["ts"][0]) if len(self.events) else 0,
            "to_ts": int(self.events["ts"][-1]) if len(self.events) else 0,
        }


def write_tape(path: Path, tape: Tape) -> None:
    """Write a tape atomically.

    Raises:
        TapeError: the file cannot be written, or an event is invalid.
    """
    with TapeWriter(path, tape.assumptions) as writer:
        writer.write(tape.events, tape.mints)
        writer.commit()


def read_tape(path: Path, *, now_ns: int | None = None) -> Tape:
    """Read a tape.

    Args:
        path: the file.
        now_ns: the clock, to reject events of the future; None to skip the check.

    Raises:
        TapeError: there is no such file, it is not a tape, it is damaged, or an event is invalid.
    """
    file = _ParquetTape(path)
    parts = list(file.checked(now_ns))
    events = join(*parts) if parts else empty(0)
    return Tape(events, file.index.mints, file.assumptions)


class TapeFile:
    """A tape on disk that is read in slices, for any length; opening it validates the whole tape.

    Raises:
        TapeError: there is no such file, it is not a tape, it is damaged, or an event is invalid.
    """

    def __init__(self, path: Path, *, now_ns: int | None = None) -> None:
        self._file = _ParquetTape(path)
        self._span = (0, 0)
        self.count = 0
        self.assumptions = self._file.assumptions
        for events in self._file.checked(now_ns):
            first = self._span[0] if self.count else int(events["ts"][0])
            self._span = (first, int(events["ts"][-1]))
            self.count += len(events)
        self._file.index = TokenIndex()

    @property
    def mints(self) -> list[str]:
        """The mints of all token indices in the slices read so far."""
        return list(self._file.index.mints)

    @property
    def pools_are_assumed(self) -> bool:
        """Whether the pools were assumed."""
        return "pools" in self.assumptions

    def slices(self, size: int) -> Iterator[Events]:
        """Yield all events in order, at most ``size`` at a time, numbered by ``seq`` from 1."""
        seq = 1
        for events in self._file.events(size):
            events["seq"] = np.arange(seq, seq + len(events))
            seq += len(events)
            yield events

    def span(self) -> tuple[int, int]:
        """Return the times of the first and the last event; 0 and 0 for an empty tape."""
        return self._span


class _ParquetTape:
    """The Parquet file of a tape. The constructor checks metadata and columns, `checked` the content."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise TapeError(f"no tape at {path}: make one with `memesnipe import FILE -o {path.name}`")
        self._path = path
        self.index = TokenIndex()
        with self._open() as file:
            schema = file.schema_arrow
            metadata = {_text(key): _text(value) for key, value in (schema.metadata or {}).items()}
        found = metadata.get("format", "")
        if found in _OLDER_FORMATS:
            raise TapeError(f"{path} is a tape of an older version, without checksums: import its source again")
        if found != FORMAT:
            raise TapeError(f"{path} is a Parquet file but not a tape of this version")
        error_text = schema_error(schema)
        if error_text is not None:
            raise TapeError(f"{path} is not a tape: {error_text}")
        self.assumptions = self._parsed(metadata.get("assumptions", ""))

    def _parsed(self, assumptions: str) -> dict[str, Any]:
        try:
            parsed = json.loads(assumptions)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict) or not can_be_described(parsed):
            raise TapeError(f"{self._path} is damaged: its assumptions cannot be read; import its source again")
        return parsed

    def events(self, size: int) -> Iterator[Events]:
        """Yield the events without validation, at most ``size`` at a time."""
        row = 0
        with self._open() as file:
            for batch in file.iter_batches(batch_size=size):
                batch.validate(full=True)
                missing = null_error(batch)
                if missing is not None:
                    raise TapeError(f"{self._path}, row {row + missing[0] + 1}: {missing[1]}; import its source again")
                row += batch.num_rows
                yield to_events(batch, self.index)

    def checked(self, now_ns: int | None) -> Iterator[Events]:
        """Yield the validated events; the seal is checked at the end, so callers must read all of them.

        Raises:
            TapeError: an event is invalid, or the file is damaged.
        """
        errors, last_ts, row = _Errors(self._path), 0, 0
        for events in self.events(_ROWS_AT_ONCE):
            found = validate(events, self.index.mints, last_ts=last_ts, now_ns=now_ns)
            errors.add(found, row)
            row += len(events)
            last_ts = found.last_ts
            yield events
        errors.raise_any(row)
        with self._open():
            whole = is_whole(self._path)
        if not whole:
            raise TapeError(f"{self._path} is damaged: its content has changed; import its source again")

    @contextmanager
    def _open(self) -> Iterator[Any]:
        try:
            with pq.ParquetFile(self._path, page_checksum_verification=True) as file:
                yield file
        except TapeError:
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            reason = first_line(error)
            if "magic bytes" in reason or "0 bytes" in reason:
                reason = f"not a Parquet file; make a tape of swaps with `memesnipe import {self._path.name} -o TAPE`"
            raise TapeError(f"{self._path} is not a tape, or is damaged: {reason}") from error


class _Errors:
    """The invalid events of a file: counts by category, and the first of them."""

    def __init__(self, path: Path) -> None:
        self._path, self._first, self._counts = path, "", Counter[str]()

    def add(self, found: Findings, row: int) -> None:
        """Add the findings of the events from row ``row`` on."""
        first = found.first()
        if first is not None and not self._first:
            self._first = f"row {row + first[0] + 1}: {first[2]}"
        self._counts.update(found.counts())

    def raise_any(self, rows: int) -> None:
        """Raise a TapeError if there are invalid events."""
        if self._first:
            counts = ", ".join(f"{category} {count:,}" for category, count in self._counts.items())
            bad = sum(self._counts.values())
            raise TapeError(f"{self._path}, {self._first} ({bad:,} of {rows:,} rows are bad: {counts})")


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
