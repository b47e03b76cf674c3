"""Tapes: recorded events in a Parquet file, in the order in which they happened."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memesnipe.errors import TapeError, first_line
from memesnipe.market.codec import to_messages
from memesnipe.market.events import EVENT, KIND_NAMES, NO_TOKEN, Events, empty, join

FORMAT = b"memesnipe-tape-1"
_ROWS_AT_ONCE = 1 << 20
_STAMPED_BY_A_RUN = ("seq", "flags", "token")
_COLUMNS = [name for name in EVENT.names or () if name not in _STAMPED_BY_A_RUN]


@dataclass(frozen=True, slots=True)
class Tape:
    """Events, shape (n,), dtype EVENT, and the mint of each token index."""

    events: Events
    mints: list[str]
    assumptions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pools_are_assumed(self) -> bool:
        """Whether the pools were assumed."""
        return "pools" in self.assumptions

    def messages(self, start: int = 0, stop: int | None = None) -> Iterator[dict[str, Any]]:
        """The events as a feed gives them."""
        for message in to_messages(self.events[start:stop], self.mints):
            for name in _STAMPED_BY_A_RUN:
                del message[name]
            yield message

    def summary(self) -> dict[str, Any]:
        """Counts by kind and the span of time."""
        kinds, counts = np.unique(self.events["kind"], return_counts=True)
        return {
            "events": len(self.events),
            "tokens": len(self.mints),
            "kinds": {KIND_NAMES[int(k)]: int(c) for k, c in zip(kinds, counts, strict=True)},
            "from_ts": int(self.events["ts"][0]) if len(self.events) else 0,
            "to_ts": int(self.events["ts"][-1]) if len(self.events) else 0,
        }


def write_tape(path: Path, tape: Tape) -> None:
    """Write the whole file or nothing: a tape is never left half made."""
    mints = np.array([*tape.mints, ""], dtype=object)  # NO_TOKEN is -1 and so finds the empty one
    columns: dict[str, Any] = {"mint": pa.array(mints[tape.events["token"]], pa.string())}
    columns |= {name: np.ascontiguousarray(tape.events[name]) for name in _COLUMNS}
    table = pa.table(columns).replace_schema_metadata({"format": FORMAT})
    partial = path.with_name(path.name + ".partial")
    try:
        pq.write_table(table, partial, compression="zstd")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise TapeError(f"cannot write the tape {path}: {error.strerror or error}") from error


def read_tape(path: Path) -> Tape:
    """Read a tape.

    Raises:
        TapeError: there is no such file, or it is not a tape.
    """
    file = TapeFile(path)
    parts = list(file.slices(_ROWS_AT_ONCE))
    events = join(*parts) if parts else empty(0)
    events["seq"] = 0  # a run numbers them as it takes them
    return Tape(events, file.mints)


class TapeFile:
    """A tape on disk that is read slice by slice, however long it is.

    Raises:
        TapeError: there is no such file, or it is not a tape.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise TapeError(f"no tape at {path}: make one with `memesnipe import FILE -o {path.name}`")
        self._path = path
        self._index: dict[str, int] = {}
        with self._reading() as file:
            if (file.schema_arrow.metadata or {}).get(b"format") != FORMAT:
                raise TapeError(f"{path} is a Parquet file but not a tape of this version")
            self.count = int(file.metadata.num_rows)

    @property
    def mints(self) -> list[str]:
        """The mints of the token indices that the slices read so far have."""
        return list(self._index)

    def slices(self, size: int) -> Iterator[Events]:
        """All events in order, at most ``size`` at a time, numbered by ``seq`` from 1."""
        seq = 1
        with self._reading() as file:
            for batch in file.iter_batches(batch_size=size):
                events = self._records(batch)
                events["seq"] = np.arange(seq, seq + len(events))
                seq += len(events)
                yield events

    def span(self) -> tuple[int, int]:
        """The times of the first and the last event; 0 and 0 where there is none."""
        first = last = 0
        with self._reading() as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=["ts"]):
                ts = batch.column("ts").to_numpy()
                first, last = first or int(ts[0]), int(ts[-1])
        return first, last

    def _records(self, batch: Any) -> Events:
        events = empty(batch.num_rows)
        # Kinds overlap in their bytes, and every column is what those bytes are in its own type: the order is all one.
        for name in _COLUMNS:
            events[name] = batch.column(name).to_numpy()
        index = self._index
        events["token"] = [
            index.setdefault(mint, len(index)) if mint else NO_TOKEN for mint in batch.column("mint").to_pylist()
        ]
        return events

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        try:
            with pq.ParquetFile(self._path) as file:
                yield file
        except (pa.ArrowException, OSError) as error:
            raise TapeError(f"{self._path} is not a tape: {first_line(error)}") from error
