"""Tapes: recorded events in a Parquet file, in the order in which they happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memesnipe.errors import TapeError, first_line
from memesnipe.market.codec import to_messages
from memesnipe.market.events import EVENT, KIND_NAMES, NO_TOKEN, Events, empty

FORMAT = b"memesnipe-tape-1"
_STAMPED_BY_A_RUN = ("seq", "flags", "token")
_COLUMNS = [name for name in EVENT.names or () if name not in _STAMPED_BY_A_RUN]


@dataclass(frozen=True, slots=True)
class Tape:
    """Events, shape (n,), dtype EVENT, and the mint of each token index."""

    events: Events
    mints: list[str]

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
    if not path.is_file():
        raise TapeError(f"no tape at {path}: make one with `memesnipe import FILE -o {path.name}`")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise TapeError(f"{path} is not a tape: {first_line(error)}") from error
    if (table.schema.metadata or {}).get(b"format") != FORMAT:
        raise TapeError(f"{path} is a Parquet file but not a tape of this version")
    events = empty(table.num_rows)
    # Kinds overlap in their bytes, and every column is what those bytes are in its own type: the order is all one.
    for name in _COLUMNS:
        events[name] = table.column(name).to_numpy()
    index: dict[str, int] = {}
    events["token"] = [
        index.setdefault(mint, len(index)) if mint else NO_TOKEN for mint in table.column("mint").to_pylist()
    ]
    return Tape(events, list(index))
