"""Tapes: recorded events in a Parquet file, in order of time.

Reading validates all events by the rules of `memesnipe.market.record_rules`. Every page has a checksum, and the
metadata has a digest of the whole file: a file with a changed bit is rejected.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from memesnipe.market.codec import to_messages
from memesnipe.market.events import KIND_NAMES, Events, empty, join
from memesnipe.market.record_rules import ASSIGNED_BY_A_RUN
from memesnipe.market.token_index import TokenIndex
from memesnipe.market.validation import Findings, validate
from memesnipe.tapes.parquet_tape import ParquetTape
from memesnipe.tapes.writer import TapeWriter


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
    file = ParquetTape(path)
    parts = list(file.checked(now_ns))
    events = join(*parts) if parts else empty(0)
    return Tape(events, file.index.mints, file.assumptions)


class TapeFile:
    """A tape on disk that is read in slices, for any length; opening it validates the whole tape.

    Raises:
        TapeError: there is no such file, it is not a tape, it is damaged, or an event is invalid.
    """

    def __init__(self, path: Path, *, now_ns: int | None = None) -> None:
        self._file = ParquetTape(path)
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
