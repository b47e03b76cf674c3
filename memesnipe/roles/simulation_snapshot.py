"""The executor's snapshot: a file that shortens recovery; events and controls alone also restore the state.

The state of thousands of strategies is copied in parts between the steps of the executor, so that no step waits for the
whole copy. The strategies of each part are as they were at the event at which it was copied; recovery advances them
from there.
"""

from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from memesnipe.clock import Clock
from memesnipe.engine.snapshot import EngineState
from memesnipe.errors import first_line
from memesnipe.storage.snapshot_file import SnapshotPart, SnapshotWriter, read_snapshot
from memesnipe.telemetry.logs import Logger
from memesnipe.trading.arena import Arena
from memesnipe.trading.execution import DeskSideState

_SMALL: Final = TypeAdapter(tuple[DeskSideState, list[str], dict[str, int]])
_SHARE: Final = 0.02  # of the time that may be spent on copying states
EVERY_S: Final = 5.0  # at least, between two snapshots
# A snapshot is also due after this many events: Redis keeps twice as many, for an executor without an event log.
_EVERY_EVENTS: Final = 50_000
PART_BYTES: Final = 2 * 2**20  # copied in about a millisecond
_MAX_WAITING: Final = 4  # parts in memory that are not written yet
_MAX_ABANDONED: Final = 3  # copies in sequence, before one is made in a single step


@dataclass(frozen=True, slots=True)
class Restored:
    """A state in parts, how many controls had been applied, and the last event."""

    parts: list[EngineState]
    desk_evidence: tuple[NDArray[np.int64], NDArray[Any]]
    side: DeskSideState
    watched: list[str]
    orders_of_removed: dict[str, int]
    controls: int
    seq: int


@dataclass(slots=True)
class _Copy:
    """A copy that is being made."""

    writer: SnapshotWriter
    seq: int  # of its first part
    began_s: float
    rows: int = -1  # copied so far; -1 before the first part, which may have none
    spent_s: float = 0.0


class Copied(Protocol):
    """What is copied: one arena, and the state beside it."""

    arenas: list[Arena]

    @property
    def seq(self) -> int:
        """Return the number of the last event that was applied."""

    @property
    def side(self) -> DeskSideState:
        """Return the state beside the arena."""


class SimulationSnapshots:
    """Copies the state of one run in parts, writes it in the background, and reads it."""

    def __init__(
        self,
        path: Path,
        run_id: int,
        log: Logger,
        clock: Clock,
        writer: Executor,
        every_s: float = EVERY_S,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._path, self._run_id, self._log, self._clock = path, run_id, log, clock
        self._seq, self._due = 0, 0.0
        self._writing: list[Future[None]] = []
        self._writer, self._every_s, self._part_bytes = writer, every_s, part_bytes
        self._copy: _Copy | None = None
        self._abandoned = 0  # copies since the last snapshot
        self.completed = 0  # snapshots

    def recovered(self, seq: int) -> None:
        """Count events from ``seq``, the last event of a recovery."""
        self._seq, self._due = seq, 0.0

    def copy_some(self, execution: Copied) -> None:
        """Copy the next part after a step, where a snapshot is due; its effects may still be uncommitted."""
        if self._abandoned < _MAX_ABANDONED and self._has_begun(execution) and self._may_submit():
            self._copy_part(execution, self._part_bytes)

    def on_commit(self, execution: Copied, controls: int) -> None:
        """Complete the snapshot after a commit, once all parts are copied."""
        if self._abandoned == _MAX_ABANDONED and self._has_begun(execution) and self._may_submit():
            self._copy_part(execution, 2**62)
        if self._copy is None or self._copy.rows < len(execution.arenas[0].engine.population):
            return
        (arena,) = execution.arenas
        rows, evidence = arena.engine.desk_evidence()
        header = {
            "run": self._run_id,
            "seq": execution.seq,
            "controls": controls,
            "small": orjson.Fragment(_SMALL.dump_json((execution.side, *arena.lists))),
        }
        last = SnapshotPart(orjson.dumps(header), {"desk_rows": rows, "desk_evidence": evidence})
        self._writing.append(self._writer.submit(self._copy.writer.add, last, is_last=True))
        self._seq, self._abandoned = self._copy.seq, 0
        self._due = self._copy.began_s + max(self._every_s, self._copy.spent_s / _SHARE)
        self._copy = None
        self.completed += 1

    def abandon(self) -> None:
        """Give up an incomplete copy, because strategies are about to join or leave."""
        if self._copy is not None:
            self._copy, self._abandoned = None, self._abandoned + 1

    def _has_begun(self, execution: Copied) -> bool:
        """Return whether a copy is being made; begin one where a snapshot is due."""
        now = self._clock.monotonic_s()
        if self._copy is None and (now >= self._due or execution.seq - self._seq >= _EVERY_EVENTS):
            self._copy = _Copy(SnapshotWriter(self._path), execution.seq, now)
        return self._copy is not None

    def _may_submit(self) -> bool:
        """Return whether the background writer keeps up.

        Raises:
            OSError: a write has failed.
        """
        done = [each for each in self._writing if each.done()]
        self._writing = [each for each in self._writing if each not in done]
        for each in done:
            each.result()
        return len(self._writing) < _MAX_WAITING

    def _copy_part(self, execution: Copied, size: int) -> None:
        """Copy as many rows as have about ``size`` bytes."""
        copy, engine = self._copy, execution.arenas[0].engine
        assert copy is not None  # noqa: S101 - the callers have checked it
        if copy.rows == len(engine.population):
            return
        started = self._clock.monotonic_s()
        first = max(copy.rows, 0)
        stop = min(first + engine.rows_in(size), len(engine.population))
        state = engine.dump(first, stop)
        part = SnapshotPart(orjson.dumps(state.header), state.arrays)
        self._writing.append(self._writer.submit(copy.writer.add, part))
        copy.rows = stop
        copy.spent_s += self._clock.monotonic_s() - started

    def read(self, last_seq: int, controls: int) -> Restored | None:
        """Return the snapshot; None where it is missing, unreadable, of another run, or beyond the last commit.

        Args:
            last_seq: the last event that was committed.
            controls: how many controls were committed.
        """
        found = read_snapshot(self._path)
        if found is None:
            return None
        *parts, last = found
        header: dict[str, Any] = orjson.loads(last.header)
        matches = header["run"] == self._run_id and header["controls"] <= controls
        if not matches or header["seq"] > last_seq:
            self._log.warning("snapshot is of another run or not committed", run=header["run"], seq=header["seq"])
            return None
        try:
            side, watched, orders_of_removed = _SMALL.validate_python(header["small"])
        except ValidationError as error:
            self._log.warning("snapshot cannot be read", error=first_line(error))
            return None
        states = [EngineState(orjson.loads(part.header), part.arrays) for part in parts]
        desk_evidence = last.arrays["desk_rows"], last.arrays["desk_evidence"]
        return Restored(states, desk_evidence, side, watched, orders_of_removed, header["controls"], header["seq"])

    def close(self) -> None:
        """Wait for what is being written."""
        self._writer.shutdown()
