"""Record a command for a run, with a deadline after which it is not committed."""

import re
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from memesnipe.protocol.commands import CommandName
from memesnipe.storage import views
from memesnipe.storage.commands import request
from memesnipe.storage.database import connect

# What can be the name of a strategy at all.
SPEC_ID: Final = r"^[A-Za-z0-9_.:-]{1,100}$"
# For connections that only record commands: a lock or a slow server must not delay a halt.
_IN_A_HURRY: Final = "-c statement_timeout=3s -c lock_timeout=2s -c idle_in_transaction_session_timeout=5s"


class NoRunError(LookupError):
    """There is no run to ask."""


class NoSuchStrategyError(LookupError):
    """The run has no such strategy."""


class TooLateError(TimeoutError):
    """The time was over before the command could be committed; it was taken back."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that is recorded."""

    run_id: int
    command_id: int


def connect_to_ask(url: str) -> Engine:
    """Return an engine for commands alone, whose statements end within seconds."""
    return connect(url, _IN_A_HURRY)


def ask(database: Engine, name: CommandName, *, spec_id: str = "", reason: str, deadline: float) -> Asked:
    """Record a command for the newest run.

    A server that stood still may answer long after the caller has given up; the deadline keeps such a command from
    being committed.

    Args:
        database: the database.
        name: the command.
        spec_id: the strategy, of promote and demote.
        reason: why.
        deadline: the time of the monotonic clock after which nothing is committed.

    Raises:
        NoRunError: there is no run yet.
        NoSuchStrategyError: the newest one has no such strategy.
        TooLateError: the deadline has passed.
    """
    with database.begin() as connection:
        run_id = views.latest_run(connection)
        if run_id is None:
            raise NoRunError("there is no run yet")
        if spec_id and not (re.match(SPEC_ID, spec_id) and views.has_strategy(connection, run_id, spec_id)):
            raise NoSuchStrategyError(f"there is no strategy {spec_id!r:.100} in run {run_id}")
        command_id = request(connection, run_id, name, spec_id=spec_id, reason=reason)
        if time.monotonic() > deadline:
            raise TooLateError
    return Asked(run_id, command_id)
