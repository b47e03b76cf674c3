"""Record a command for a run, with a deadline after which it is not committed."""

import re
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine

from memesnipe.errors import InputError
from memesnipe.market.events import NO_TOKEN
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName, check_reason
from memesnipe.storage import views
from memesnipe.storage.actions import UNKNOWN, is_asked_for, record_action
from memesnipe.storage.commands import enqueue, halt_by_kill_file
from memesnipe.storage.database import connect
from memesnipe.storage.flattening import read_held
from memesnipe.storage.runs import LIVE_CAPITAL, read_run_settings
from memesnipe.storage.strategy_ids import has_strategy

# The syntax of strategy ids.
SPEC_ID: Final = r"^[A-Za-z0-9_.:-]{1,100}$"
# For connections that only record commands: a lock or a slow server must not delay a halt.
_SHORT_TIMEOUTS: Final = "-c statement_timeout=3s -c lock_timeout=2s -c idle_in_transaction_session_timeout=5s"
_KILL_FILE_S: Final = 10.0  # from writing the kill file until a halt is recorded, at most
_NO_RUN: Final = "there is no run yet"


class NoRunError(LookupError):
    """There is no run yet, so the command has no target."""


class NoSuchStrategyError(LookupError):
    """The run has no such strategy."""


class NoSuchAccountError(LookupError):
    """The run has no such account."""


class NoSuchPositionError(LookupError):
    """The newest run does not hold such a position."""


class TooLateError(TimeoutError):
    """The deadline passed before the command was committed; it was rolled back."""


@dataclass(frozen=True, slots=True)
class SubmittedCommand:
    """A recorded command."""

    run_id: int
    command_id: int
    spec_id: str = ""


def connect_for_commands(url: str) -> Engine:
    """Return an engine for recording commands only; its statements end after 3 s at the latest."""
    return connect(url, _SHORT_TIMEOUTS)


def submit(
    database: Engine,
    name: CommandName,
    *,
    spec_id: str = "",
    reason: str,
    account: str = "",
    mint: str = "",
    deadline: float,
    who: str = UNKNOWN,
) -> SubmittedCommand:
    """Record a command for the newest run, and the action in the audit log; a refused one in the log alone.

    A stalled server may respond long after the caller has timed out; the deadline prevents the commit of such a
    command.

    Args:
        database: the database.
        name: the command.
        spec_id: the strategy to promote or demote, or whose position to close; empty for other commands.
        reason: the reason to record with the command.
        account: that the command is for; empty for every account.
        mint: the address of the token of the position to close; empty for other commands.
        deadline: the time of the monotonic clock, in seconds, after which the command is not committed.
        who: has asked for it (`memesnipe.storage.actions`).

    Raises:
        NoRunError: there is no run yet.
        NoSuchStrategyError: the newest run has no such strategy.
        NoSuchAccountError: the newest run has no such account.
        NoSuchPositionError: the newest run does not hold such a position.
        InputError: the reason is too long, or cannot be stored.
        TooLateError: the deadline has passed.
    """
    with database.begin() as connection:
        run_id = views.latest_run(connection)
        refusal = _refusal(connection, run_id, spec_id, account, reason)
        command_id, token = None, NO_TOKEN
        if refusal is None and run_id is not None and name is CommandName.CLOSE:
            token = _held_token(connection, run_id, account, spec_id, mint)
            if token == NO_TOKEN:
                refusal = NoSuchPositionError(f"{spec_id} holds no {mint!r:.100} on the {account} account")
        if refusal is None and run_id is not None and name is CommandName.HALT:
            command_id = _of_its_kill_file(connection, run_id)
        if refusal is None and run_id is not None and command_id is None:
            command_id = enqueue(
                connection, run_id, name, spec_id=spec_id, reason=reason, account=account, token=token, mint=mint
            )
        log = {"who": who, "spec_id": spec_id, "reason": reason, "refused": str(refusal or "")}
        record_action(connection, run_id, name, command_id=command_id, **log)
        if time.monotonic() > deadline:
            raise TooLateError
    if run_id is None or command_id is None:
        raise refusal or NoRunError(_NO_RUN)
    return SubmittedCommand(run_id, command_id, spec_id)


def _of_its_kill_file(connection: Connection, run_id: int) -> int | None:
    """Return the halt that market_data has recorded for the file which whoever halts writes first, or None.

    On a busy machine it is faster than the command itself, which would change nothing then.
    """
    found = halt_by_kill_file(connection, run_id, _KILL_FILE_S)
    return None if found is None or is_asked_for(connection, found) else found


def _held_token(connection: Connection, run_id: int, account: str, spec_id: str, mint: str) -> int:
    """Return the token of an open position, or `NO_TOKEN`."""
    held = {key[2]: one for key, one in read_held(connection, run_id, account).items() if key[1] == spec_id}
    return next((token for token, one in held.items() if one.mint == mint), NO_TOKEN)


def _refusal(connection: Connection, run_id: int | None, spec_id: str, account: str, reason: str) -> Exception | None:
    """Return why a command is not recorded, or None."""
    if run_id is None:
        return NoRunError(_NO_RUN)
    if spec_id and not (re.match(SPEC_ID, spec_id) and has_strategy(connection, run_id, spec_id)):
        return NoSuchStrategyError(f"there is no strategy {spec_id!r:.100} in run {run_id}")
    try:
        check_account(connection, run_id, account)
        check_reason(reason)
    except (NoSuchAccountError, InputError) as error:
        return error
    return None


def check_account(connection: Connection, run_id: int, account: str) -> None:
    """Check that a run has an account; an empty one stands for all that it has.

    Raises:
        NoSuchAccountError: it has not.
    """
    if account == Account.LIVE and read_run_settings(connection, run_id).get(LIVE_CAPITAL) is None:
        raise NoSuchAccountError(f"run {run_id} has no live account; trading is on paper")
