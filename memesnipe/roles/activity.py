"""The activity of an actor and its duration: for the heartbeat, and in a file that outlives the process."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

RECOVERING: Final = "recovering"
WAITING: Final = "waiting"  # for entries or events
WORKING: Final = "working"
BREEDING: Final = "breeding"
COMMITTING: Final = "committing"
PUBLISHING: Final = "publishing"  # the messages of the last commit

_MAX_STEP_S: Final = 3.0  # a longer step is reported
_MAX_WAIT_S: Final = 10.0  # a longer wait for the same thing is reported
_MAX_BACKTEST_S: Final = 120.0  # without a finished backtest: a cluster may have to start a node first
_WIDTH: Final = 64  # bytes of the file


class SlowState(NamedTuple):
    """A state to report instead of `running`, with its reason."""

    state: str  # stalled | breeding | quiet
    detail: str


class ActivityTracker:
    """Records the activity of an actor, for its heartbeat; an update takes microseconds."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._activity, self._step_began = RECOVERING, time.monotonic()
        self._waiting_for, self._waiting_since = "", 0.0
        self._backtest_at = 0.0
        self._feed: SlowState | None = None

    def open(self, path: Path) -> None:
        """Write the activity to a file too. Errors are ignored, because nothing depends on the file."""
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
            self._write()

    def begin(self, activity: str) -> None:
        """Begin a step with this activity."""
        self._step_began = time.monotonic()
        self.set(activity)

    def set(self, activity: str) -> None:
        """Set the activity of the current step."""
        if activity != self._activity:
            self._activity = activity
            self._write()

    def _write(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.pwrite(self._file, f"{os.getpid()} {self._activity}".ljust(_WIDTH).encode(), 0)

    def end_commit(self) -> None:
        """Set the activity after a connection was returned: a commit is followed by publishing."""
        if self._activity == COMMITTING:
            self.set(PUBLISHING)

    def set_waiting_for(self, subject: str) -> None:
        """Set the description of the thing that the work waits for; "" where it waits for nothing.

        The duration is measured from the first call with this description, so it must change with every progress.
        """
        if subject != self._waiting_for:
            self._waiting_for, self._waiting_since = subject, time.monotonic()

    def waiting_s(self) -> float:
        """Return the seconds for which the work has waited for the same thing; 0.0 where it does not wait."""
        return time.monotonic() - self._waiting_since if self._waiting_for else 0.0

    def set_feed_state(self, state: SlowState | None) -> None:
        """Set the state to report while nothing but the feed is slow; None if the feed delivers."""
        self._feed = state

    @contextmanager
    def breeding(self) -> Iterator[None]:
        """Mark a part of the step as breeding, which may take minutes."""
        self.record_backtests(0)
        self.set(BREEDING)
        yield
        self.set(WORKING)

    def record_backtests(self, _count: int) -> None:
        """Record that backtests of the generation have finished."""
        self._backtest_at = time.monotonic()

    def slow_state(self) -> SlowState | None:
        """Return the state to report instead of `running`; None if nothing is slow or overdue."""
        step_s, activity = time.monotonic() - self._step_began, self._activity
        if activity == BREEDING and step_s >= _MAX_STEP_S:
            since_s = time.monotonic() - self._backtest_at
            if since_s > _MAX_BACKTEST_S:
                return SlowState("stalled", f"no backtest has finished for {since_s:.0f} s")
            return SlowState("breeding", f"for {step_s:.0f} s")
        if step_s >= _MAX_STEP_S:
            return SlowState("stalled", f"the current step has taken {step_s:.0f} s, and what follows waits for it")
        waiting_for, waiting_s = self._waiting_for, self.waiting_s()
        if waiting_for and waiting_s > _MAX_WAIT_S:
            return SlowState("stalled", f"has waited {waiting_s:.0f} s for {waiting_for}")
        return self._feed


def read_activity(path: Path) -> tuple[int, str]:
    """Return the process id and the activity in a file; (0, "") where it is missing or invalid."""
    try:
        pid, activity = path.read_text().split()
        return int(pid), activity
    except (OSError, ValueError):
        return 0, ""
