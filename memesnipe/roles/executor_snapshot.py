"""The executor's snapshot: a file that shortens recovery; events and controls alone also restore the state."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from memesnipe.clock import Clock
from memesnipe.engine.snapshot import EngineState
from memesnipe.errors import first_line
from memesnipe.storage.snapshot_file import read_snapshot, write_snapshot
from memesnipe.telemetry.logs import Logger
from memesnipe.trading.arena import ArenaState
from memesnipe.trading.execution import DeskSideState, ExecutionState

_SMALL: Final = TypeAdapter(tuple[DeskSideState, list[str], dict[str, int]])
_SHARE: Final = 0.003  # of the time that may be spent on copying states
EVERY_S: Final = 5.0  # at least, between two snapshots
# A snapshot is also due after this many events: Redis keeps twice as many, for an executor without an event log.
_EVERY_EVENTS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Restored:
    """A state, and how many controls had been applied."""

    state: ExecutionState
    controls: int


class ExecutorSnapshots:
    """Writes the snapshot of one run in the background, and reads it."""

    def __init__(
        self, path: Path, run_id: int, log: Logger, clock: Clock, writer: Executor, every_s: float = EVERY_S
    ) -> None:
        self._path, self._run_id, self._log, self._clock = path, run_id, log, clock
        self._seq, self._due = 0, 0.0
        self._writing: Future[None] | None = None
        self._writer, self._every_s = writer, every_s

    def recovered(self, seq: int) -> None:
        """Count events from ``seq``, the last event of a recovery."""
        self._seq, self._due = seq, 0.0

    def write_if_due(self, seq: int, controls: int, dump: Callable[[], ExecutionState]) -> None:
        """Copy the committed state where a snapshot is due, and write it in the background."""
        now = self._clock.monotonic_s()
        if now < self._due and seq - self._seq < _EVERY_EVENTS:
            return
        if self._writing is not None:
            if not self._writing.done():
                return
            self._writing.result()  # raises the error of the last write
        state = dump()
        (arena,) = state.arenas
        header = {
            "run": self._run_id,
            "seq": seq,
            "controls": controls,
            "arena": arena.engine.header,
            "small": orjson.Fragment(_SMALL.dump_json((state.side, arena.watched, arena.orders_of_removed))),
        }
        self._writing = self._writer.submit(write_snapshot, self._path, orjson.dumps(header), arena.engine.arrays)
        self._seq = seq
        self._due = now + max(self._every_s, (self._clock.monotonic_s() - now) / _SHARE)

    def read(self, last_seq: int, controls: int) -> Restored | None:
        """Return the snapshot; None where it is missing, unreadable, of another run, or beyond the last commit.

        Args:
            last_seq: the last event that was committed.
            controls: how many controls were committed.
        """
        found = read_snapshot(self._path)
        if found is None:
            return None
        header: dict[str, Any] = orjson.loads(found[0])
        matches = header["run"] == self._run_id and header["controls"] <= controls
        if not matches or header["seq"] > last_seq:
            self._log.warning("snapshot is of another run or not committed", run=header["run"], seq=header["seq"])
            return None
        try:
            side, watched, orders_of_removed = _SMALL.validate_python(header["small"])
        except ValidationError as error:
            self._log.warning("snapshot cannot be read", error=first_line(error))
            return None
        arena = ArenaState(EngineState(header["arena"], found[1]), watched, orders_of_removed)
        return Restored(ExecutionState([arena], side), header["controls"])

    def close(self) -> None:
        """Wait for the snapshot that is being written."""
        self._writer.shutdown()
