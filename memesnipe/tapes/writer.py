"""The writer of a tape: appends events in parts, and puts the file in its place atomically when it is complete."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from memesnipe.errors import TapeError, first_line
from memesnipe.market.assumptions import describe
from memesnipe.market.events import EVENT, Events
from memesnipe.market.validation import validate
from memesnipe.tapes.arrow import COLUMNS, TYPES, to_table
from memesnipe.tapes.checksum import UNSEALED, seal
from memesnipe.tapes.spans import PARTIAL

FORMAT: Final = "memesnipe-tape-2"
# Where most values of a column differ, its differences or its bytes by place are a quarter smaller than a dictionary.
_DIFFERENCES: Final = ("ts", "slot")
_ENCODINGS: Final = dict.fromkeys(_DIFFERENCES, "DELTA_BINARY_PACKED") | {
    name: "BYTE_STREAM_SPLIT" for name in COLUMNS if EVENT[name].itemsize >= 4 and name not in _DIFFERENCES
}
_OPTIONS: Final[dict[str, Any]] = {
    "compression": "zstd",
    "write_page_checksum": True,
    "use_dictionary": [name for name in TYPES if name not in _ENCODINGS],
    "column_encoding": _ENCODINGS,
}
_ROW_GROUP: Final = 1 << 17  # rows, about 16 MB, that are held until they are compressed together


class TapeWriter:
    """Context manager of a tape that is written: leaving it without `commit` leaves no file.

    Args:
        path: of the tape.
        assumptions: of the tape, JSON-ready.

    Raises:
        TapeError: the file cannot be written, or the assumptions are not valid.
    """

    def __init__(self, path: Path, assumptions: Mapping[str, Any]) -> None:
        self._path, self._partial = path, path.with_name(path.name + PARTIAL)
        self._rows, self._last_ts = 0, 0
        self._held: list[Any] = []  # tables that are not in the file yet
        self._held_rows = 0
        # The seal must be the last entry of the metadata.
        metadata = {"format": FORMAT, "assumptions": self._to_json(assumptions), "seal": UNSEALED}
        schema = pa.schema(list(TYPES.items()), metadata=metadata)
        try:
            self._writer: Any = pq.ParquetWriter(self._partial, schema, **_OPTIONS)
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error

    def _to_json(self, assumptions: Mapping[str, Any]) -> str:
        try:
            text = json.dumps(dict(assumptions), sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise self._error(f"its assumptions are not JSON: {first_line(error)}") from error
        if not can_be_described(json.loads(text)):
            raise self._error("its assumptions cannot be described")
        return text

    def _error(self, reason: str) -> TapeError:
        return TapeError(f"cannot write the tape {self._path}: {reason}")

    def write(self, events: Events, mints: list[str]) -> None:
        """Append events; ``mints[i]`` is the address of their token ``i``.

        Raises:
            TapeError: the file cannot be written, or an event is invalid.
        """
        found = validate(events, mints, last_ts=self._last_ts)
        broken = found.first()
        if broken is not None:
            raise self._error(f"row {self._rows + broken[0] + 1}: {broken[2]}")
        self._rows, self._last_ts = self._rows + len(events), found.last_ts
        self._held.append(to_table(events, mints))
        self._held_rows += len(events)
        if self._held_rows >= _ROW_GROUP:
            self._write_held()

    def _write_held(self) -> None:
        held, self._held, self._held_rows = self._held, [], 0
        try:
            self._writer.write_table(pa.concat_tables(held).combine_chunks())
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error

    def commit(self) -> None:
        """Seal the tape, and put it in its place; it is on disk (fsync) when the method returns.

        Raises:
            TapeError: the file cannot be written.
        """
        if self._held:
            self._write_held()
        try:
            self._writer.close()
            seal(self._partial)
            _sync(self._partial)
            self._partial.replace(self._path)
            _sync(self._path.parent)
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the incomplete file, if there is one."""
        try:
            self._writer.close()
        except OSError:
            pass  # the file is removed in any case
        finally:
            self._partial.unlink(missing_ok=True)


def can_be_described(assumptions: dict[str, Any]) -> bool:
    """Return whether the assumptions have the expected form and can be printed."""
    if any(not isinstance(assumptions.get(key, {}), dict) for key in ("duplicates", "rejected")):
        return False
    try:
        sentences = describe(assumptions)
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
        return False
    return all(sentence.isprintable() for sentence in sentences)


def _sync(path: Path) -> None:
    """Write the content of a file, or the entries of a folder, to disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
