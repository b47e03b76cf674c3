"""Halts the run where the kill file exists, however it came to be there."""

from math import inf
from typing import Final

from sqlalchemy import Engine

from memesnipe.clock import Clock
from memesnipe.halt_file import halt_level
from memesnipe.protocol.commands import BY_KILL_FILE, CommandName
from memesnipe.roles.context import Context
from memesnipe.storage.commands import enqueue, is_halt_recorded
from memesnipe.telemetry.logs import Logger

# Who writes the file while a run is active records a command right after it; the file stops the signer meanwhile.
_GRACE_S: Final = 0.5


class HaltWatch:
    """Records the command that the kill file stands for, once for each time that the file appears.

    The command is missing where a person made the file, where nothing was running, and where the database did not
    respond to whoever halted. A file that exists when market_data starts is recorded at the first check, so that the
    run is halted before its next event.
    """

    def __init__(self, context: Context, log: Logger) -> None:
        self._file = context.halt_file
        self._run_id = context.run_id
        self._clock: Clock = context.clock
        self._log = log
        exists = halt_level(context.halt_file) is not None
        self._seen_at_s: float | None = -inf if exists else None
        self._is_recorded = False

    def check(self, database: Engine) -> None:
        """Record a halt if the file exists and the run is not halted."""
        if halt_level(self._file) is None:
            self._seen_at_s, self._is_recorded = None, False
            return
        now = self._clock.monotonic_s()
        self._seen_at_s = now if self._seen_at_s is None else self._seen_at_s
        if self._is_recorded or now - self._seen_at_s < _GRACE_S:
            return
        with database.begin() as connection:
            if not is_halt_recorded(connection, self._run_id):
                enqueue(connection, self._run_id, CommandName.HALT, reason=BY_KILL_FILE)
                self._log.warning("halted by the kill file", file=str(self._file))
        self._is_recorded = True
