"""The Parquet file of a tape: its metadata, columns and checksums."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from memesnipe.errors import TapeError, first_line
from memesnipe.market.events import Events, empty
from memesnipe.market.token_index import TokenIndex
from memesnipe.market.validation import Findings, validate
from memesnipe.tapes.arrow import null_error, schema_error, to_events
from memesnipe.tapes.checksum import is_whole
from memesnipe.tapes.writer import FORMAT, can_be_described

_OLDER_FORMATS: Final = ("memesnipe-tape-1",)  # without checksums, so that damage could not be detected
_ROWS_AT_ONCE: Final = 1 << 20


class ParquetTape:
    """The Parquet file of a tape. The constructor checks metadata and columns, `checked` the content."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise TapeError(f"no tape at {path}: make one with `memesnipe import FILE -o {path.name}`")
        self.path = path
        self.index = TokenIndex()
        with self.open() as file:
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
            raise TapeError(f"{self.path} is damaged: its assumptions cannot be read; import its source again")
        return parsed

    def events(self, size: int) -> Iterator[Events]:
        """Yield the events without validation, at most ``size`` at a time."""
        row = 0
        with self.open() as file:
            for batch in file.iter_batches(batch_size=size):
                batch.validate(full=True)
                missing = null_error(batch)
                if missing is not None:
                    raise TapeError(f"{self.path}, row {row + missing[0] + 1}: {missing[1]}; import its source again")
                row += batch.num_rows
                yield to_events(batch, self.index)

    @property
    def group_count(self) -> int:
        """Return the number of row groups."""
        with self.open() as file:
            count: int = file.num_row_groups
        return count

    def group_events(self, group: int, index: TokenIndex) -> Events:
        """Return the events of a row group without validation, with the tokens of an index."""
        with self.open() as file:
            [batch] = file.read_row_group(group).combine_chunks().to_batches() or [None]
        return empty(0) if batch is None else to_events(batch, index)

    def add_mints(self, group: int, index: TokenIndex) -> None:
        """Add the mints of a row group to an index, in order of first appearance."""
        with self.open() as file:
            index.of_column(file.read_row_group(group, columns=["mint"]).column("mint").combine_chunks())

    def span(self) -> tuple[int, int]:
        """Return the times of the first and the last event; 0 and 0 for an empty tape."""
        with self.open() as file:
            ends = [file.read_row_group(g, columns=["ts"]).column("ts") for g in (0, file.num_row_groups - 1)]
        return (ends[0][0].as_py(), ends[1][-1].as_py()) if len(ends[0]) else (0, 0)

    def checked(self, now_ns: int | None) -> Iterator[Events]:
        """Yield the validated events; the seal is checked at the end, so callers must read all of them.

        Raises:
            TapeError: an event is invalid, or the file is damaged.
        """
        errors, last_ts, row = _Errors(self.path), 0, 0
        for events in self.events(_ROWS_AT_ONCE):
            found = validate(events, self.index.mints, last_ts=last_ts, now_ns=now_ns)
            errors.add(found, row)
            row += len(events)
            last_ts = found.last_ts
            yield events
        errors.raise_any(row)
        self.check_seal()

    def check_seal(self) -> None:
        """Check that the file is bit-identical to the sealed one, whose events were validated when it was written.

        Raises:
            TapeError: it is not.
        """
        with self.open():
            whole = is_whole(self.path)
        if not whole:
            raise TapeError(f"{self.path} is damaged: its content has changed; import its source again")

    @contextmanager
    def open(self) -> Iterator[Any]:
        """Open the file with the checksums of its pages; errors of the format are raised as TapeError."""
        try:
            with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
                yield file
        except TapeError:
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            reason = first_line(error)
            if "magic bytes" in reason or "0 bytes" in reason:
                reason = f"not a Parquet file; make a tape of swaps with `memesnipe import {self.path.name} -o TAPE`"
            raise TapeError(f"{self.path} is not a tape, or is damaged: {reason}") from error


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
