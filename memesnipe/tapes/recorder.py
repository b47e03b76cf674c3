"""The recorder: makes tapes of the events of a run, one for each span of event time.

The event log of the run is the truth. A tape is derived from it once its span is over, so the recorder has no state of
its own that a crash could lose: after a restart it continues behind the newest tape.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from memesnipe.errors import TapeError, first_line
from memesnipe.market.events import NO_TOKEN, Events
from memesnipe.tapes.spans import TapePolicy, name_of, remove_partial, tape_starts

# Events that are read and converted at once. Few, because the thread that publishes events waits meanwhile for the
# interpreter's lock.
_PIECE: Final = 4_096


class EventSource(Protocol):
    """The events of a run, numbered from 1 without gaps, in order of time."""

    def read(self, first: int, last: int) -> Events:
        """Return the events numbered ``first`` to ``last``, as far as they exist."""

    def first_at(self, ts: int, last: int) -> int:
        """Return the number of the first event at or after a time; ``last + 1`` if the first ``last`` are earlier."""


@dataclass(slots=True)
class Recorder:
    """Writes the tapes of one run into a folder, in the background.

    Args:
        folder: of the run's tapes.
        source: the events.
        mints: the address of each token, to which the caller appends.
        policy: spans and retention.
        assumptions: of the feed, which every tape has too.
        writer: runs the writing, one task at a time.
        on_error: called in the background with the reason why a tape was not written; the next span tries again.
    """

    folder: Path
    source: EventSource
    mints: Sequence[str]
    policy: TapePolicy
    assumptions: Mapping[str, Any]
    writer: Executor
    on_error: Callable[[str], None]
    _span_ts: int = field(default=-1, init=False)  # start of the last span seen
    _next: int = field(default=0, init=False)  # first event without a tape; 0: not determined yet
    _is_closing: bool = field(default=False, init=False)

    def advance(self, last_seq: int, last_ts: int) -> None:
        """Write the tapes of all spans that ended before the last committed event; return at once.

        Args:
            last_seq: the last committed event; 0 for none.
            last_ts: its time.
        """
        span_ts = self.policy.start_of(last_ts)
        if last_seq and span_ts != self._span_ts:
            self._span_ts = span_ts
            self.writer.submit(self._write_due, last_seq, is_end=False)

    def finish(self, last_seq: int) -> None:
        """Write the tape of the last span too, because ``last_seq`` is the last event of all; return at once."""
        if last_seq:
            self.writer.submit(self._write_due, last_seq, is_end=True)

    def close(self) -> None:
        """Give up a tape that is being written, and wait for the background."""
        self._is_closing = True
        self.writer.shutdown()

    def _write_due(self, last_seq: int, *, is_end: bool) -> None:
        try:
            self._next = self._next or self._first_missing(last_seq)
            while self._next <= last_seq:
                span_ts = self.policy.start_of(self._ts_of(self._next))
                stop = self.source.first_at(span_ts + self.policy.span_ns, last_seq)
                if stop > last_seq and not is_end:
                    return
                if not self._write(span_ts, self._next, stop - 1):
                    return
                self._next = stop
                self._delete_expired()
        except (OSError, TapeError) as error:
            self.on_error(first_line(error))

    def _first_missing(self, last_seq: int) -> int:
        """Return the first event behind the newest tape that is not too old for one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_partial(self.folder)
        tapes = tape_starts(self.folder)
        behind = tapes[-1] + self.policy.span_ns if tapes else 0
        kept_from = self.policy.start_of(self._ts_of(last_seq)) - self.policy.retention_ns
        return self.source.first_at(max(behind, kept_from), last_seq)

    def _ts_of(self, seq: int) -> int:
        return int(_read(self.source, seq, seq)["ts"][0])

    def _write(self, span_ts: int, first: int, last: int) -> bool:
        path = self.folder / name_of(span_ts)
        return write_span(path, self.source, first, last, self.mints, self.assumptions, lambda: not self._is_closing)

    def _delete_expired(self) -> None:
        starts = tape_starts(self.folder)
        for start_ts in starts:
            if start_ts < starts[-1] - self.policy.retention_ns:
                (self.folder / name_of(start_ts)).unlink(missing_ok=True)


def write_span(
    path: Path,
    source: EventSource,
    first: int,
    last: int,
    mints: Sequence[str],
    assumptions: Mapping[str, Any],
    is_wanted: Callable[[], bool] = lambda: True,
) -> bool:
    """Write the events numbered ``first`` to ``last`` to a tape; return whether it is complete.

    Args:
        path: of the tape.
        source: the events.
        first: number of the first event.
        last: number of the last event.
        mints: the address of each token.
        assumptions: of the tape.
        is_wanted: asked between parts; the tape is given up, without a file, once it returns False.

    Raises:
        OSError: the events cannot be read.
        TapeError: the tape cannot be written.
    """
    from memesnipe.tapes.writer import TapeWriter  # noqa: PLC0415 - pyarrow is slow to load

    with TapeWriter(path, assumptions) as tape:
        for start in range(first, last + 1, _PIECE):
            if not is_wanted():
                return False
            events = _read(source, start, min(start + _PIECE - 1, last))
            tape.write(*with_own_tokens(events, mints))
        tape.commit()
    return True


def _read(source: EventSource, first: int, last: int) -> Events:
    events = source.read(first, last)
    if len(events) != last - first + 1:
        raise OSError(f"there is no event {last} to record")
    return events


def with_own_tokens(events: Events, mints: Sequence[str]) -> tuple[Events, list[str]]:
    """Return events with tokens numbered for these events alone, and the address of each; ``events`` is changed."""
    tokens, numbers = np.unique(events["token"], return_inverse=True)
    nones = int(np.count_nonzero(tokens == NO_TOKEN))
    events["token"] = numbers.reshape(-1) - nones  # NO_TOKEN, -1, is the first of the tokens
    return events, [mints[token] for token in tokens[nones:].tolist()]
