"""Record a command for a run, with a deadline after which it is not committed."""

import re
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from memesnipe.protocol.commands import CommandName
from memesnipe.storage import views
from memesnipe.storage.commands import enqueue
from memesnipe.storage.database import connect
from memesnipe.storage.strategy_ids import has_strategy

# The syntax of strategy ids.
SPEC_ID: Final = r"^[A-Za-z0-9_.:-]{1,100}$"
# For connections that only record commands: a lock or a slow server must not delay a halt.
_SHORT_TIMEOUTS: Final = "-c statement_timeout=3s -c lock_timeout=2s -c idle_in_transaction_session_timeout=5s"


class NoRunError(LookupError):
    """There is no run yet, so the command has no target."""


class NoSuchStrategyError(LookupError):
    """The run has no such strategy."""


class TooLateError(TimeoutError):
    """The deadline passed before the command was committed; it was rolled back."""


@dataclass(frozen=True, slots=True)
class SubmittedCommand:
    """A recorded command."""

    run_id: int
    command_id: int


def connect_for_commands(url: str) -> Engine:
    """Return an engine for recording commands only; its statements end after 3 s at the latest."""
    return connect(url, _SHORT_TIMEOUTS)


def submit(database: Engine, name: CommandName, *, spec_id: str = "", reason: str, deadline: float) -> SubmittedCommand:
    """Record a command for the newest run.

    A stalled server may respond long after the caller has timed out; the deadline prevents the commit of such a
    command.

    Args:
        database: the database.
        name: the command.
        spec_id: the strategy to promote or demote; empty for other commands.
        reason: the reason to record with the command.
        deadline: the time of the monotonic clock, in seconds, after which the command is not committed.

    Raises:
        NoRunError: there is no run yet.
        NoSuchStrategyError: the newest run has no such strategy.
        InputError: the reason is too long, or cannot be stored.
        TooLateError: the deadline has passed.
    """
    with database.begin() as connection:
        run_id = views.latest_run(connection)
        if run_id is None:
            raise NoRunError("there is no run yet")
        if spec_id and not (re.match(SPEC_ID, spec_id) and has_strategy(connection, run_id, spec_id)):
            raise NoSuchStrategyError(f"there is no strategy {spec_id!r:.100} in run {run_id}")
        command_id = enqueue(connection, run_id, name, spec_id=spec_id, reason=reason)
        if time.monotonic() > deadline:
            raise TooLateError
    return SubmittedCommand(run_id, command_id)
