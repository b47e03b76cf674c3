"""Manual commands to a run, recorded in the database, and their outcomes."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.cli.stored_accounts import stored_accounts
from memesnipe.config.home import Home
from memesnipe.config.settings import Settings, load_settings, read_resolved
from memesnipe.errors import InputError, MemeSnipeError, NoRunYetError, RefusedError, first_line
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import REFUSED, WAITING, CommandName, check_reason, is_effective
from memesnipe.runtime.database import NO_RUN, open_database
from memesnipe.runtime.lock import holder
from memesnipe.storage import views
from memesnipe.storage.actions import by_cli, recorded_over_http
from memesnipe.storage.command_submission import (
    NoRunError,
    NoSuchAccountError,
    NoSuchPositionError,
    NoSuchStrategyError,
    SubmittedCommand,
    connect_for_commands,
    submit,
)
from memesnipe.storage.commands import outcome
from memesnipe.storage.learned import in_words, learned
from memesnipe.storage.rows import Page
from memesnipe.storage.strategy_ids import full_id, ids_like
from memesnipe.storage.strategy_list import SortKey, StrategyFilter, strategies

T = TypeVar("T")

_RECORD_S: Final = 5.0
_SHOWN_IDS: Final = 3
_STOPPED: Final = " Nothing is running: `memesnipe up` goes on."
_OUTCOME_WAIT_S: Final = 15.0


class NotHeldError(InputError):
    """The position is not held, or not any more."""


def risk_state() -> dict[str, Any]:
    """Return the breaker's state of the newest run, and the counts of orders that the risk gate has refused.

    They are those of the paper account; `accounts` has the money, the risk and the counts of each account.

    Raises:
        InputError: there is no run.
    """
    with open_database(load_settings()) as (engine, _), engine.connect() as connection:
        run_id = _run(engine)
        found = {}
        for account, figures in stored_accounts(connection, views.report(connection, run_id)).items():
            risk = views.risk(connection, run_id, Account(account))
            found[account] = {**figures, "max_drawdown": risk["max_drawdown"], "refusals": risk["refusals"]}
        return {"run_id": run_id, **views.risk(connection, run_id), "accounts": found}


@dataclass(frozen=True, slots=True)
class StrategiesOfRun:
    """Strategies of a run, and where there are none its report and what it has learned."""

    run_id: int
    strategies: list[dict[str, Any]]
    report: dict[str, Any] = field(default_factory=dict)
    learned: str = ""


def strategies_of_run(limit: int, mode: str | None, sort: str) -> StrategiesOfRun:
    """Return the strategies of the newest run, in the order of a `SortKey`.

    Raises:
        InputError: there is no run.
    """
    settings = load_settings()
    with open_database(settings) as (engine, _), engine.connect() as connection:
        run_id = _run(engine)
        rows = strategies(connection, run_id, StrategyFilter(mode), Page(limit, 0), SortKey(sort)).rows
        if rows:
            return StrategiesOfRun(run_id, rows)
        runs = holder(settings.installation.memesnipe_home.resolve()) is not None
        words = in_words(learned(connection, run_id)) + ("" if runs else _STOPPED)
        return StrategiesOfRun(run_id, [], views.report(connection, run_id), words)


def _run(engine: Engine) -> int:
    with engine.connect() as connection:
        run_id = views.latest_run(connection)
    if run_id is None:
        raise NoRunYetError(NO_RUN)
    return run_id


def send_command(command: str, spec_id: str, reason: str, began: float | None = None) -> dict[str, Any]:
    """Record a command; while a run is active, wait for the outcome.

    Args:
        command: the command.
        spec_id: its strategy; "" for none.
        reason: recorded with it.
        began: the monotonic time since which it may have been recorded over HTTP already, without an answer; None for
            a command that was not tried before.

    Raises:
        InputError: there is no run, or no such strategy, or the reason cannot be recorded.
        RefusedError: the run refuses it.
        MemeSnipeError: the database does not respond in time.
    """
    check_reason(reason)
    name = CommandName(command)
    with database_of_commands(load_settings()) as (engine, runs):
        submitted = record(engine, name, spec_id, reason, began=began)
        result = wait_for_outcome(engine, submitted.command_id) if runs else WAITING
    if result.startswith(REFUSED):
        raise RefusedError(f"{name.value} {submitted.spec_id}: {result.removeprefix(REFUSED)}")
    answer = {"run_id": submitted.run_id, "command_id": submitted.command_id, "command": name.value}
    answer |= {"spec_id": submitted.spec_id} if submitted.spec_id else {}
    return {**answer, "outcome": result, "effective": is_effective(result)}


def send_each(command: str, spec_ids: Iterable[str], reason: str) -> Iterator[tuple[str, str]]:
    """Record a command for each strategy, all at once, and yield each with its outcome as soon as it is known.

    Raises:
        As `send_command`, but for a refusal, which is an outcome here.
    """
    check_reason(reason)
    name = CommandName(command)
    with database_of_commands(load_settings()) as (engine, runs):
        numbers = {spec_id: record(engine, name, spec_id, reason).command_id for spec_id in spec_ids}
        deadline = time.monotonic() + _OUTCOME_WAIT_S
        for spec_id, number in numbers.items():
            yield spec_id, wait_for_outcome(engine, number, deadline - time.monotonic()) if runs else WAITING


def _recorded_over_http(engine: Engine, name: CommandName, reason: str, began: float | None) -> SubmittedCommand | None:
    """Return the command as it was recorded over HTTP since a monotonic time, or None: it is one action, not two."""
    if began is None:
        return None
    with engine.connect() as connection:
        run_id = views.latest_run(connection)
        since_s = time.monotonic() - began
        found = None if run_id is None else recorded_over_http(connection, run_id, name, reason, since_s)
    return None if run_id is None or found is None else SubmittedCommand(run_id, found)


@contextmanager
def database_of_commands(settings: Settings) -> Iterator[tuple[Engine, bool]]:
    """Connect to the database; yield it, and whether an active run will execute commands.

    `memesnipe up` has migrated its database, so with an active run there is no migration to wait for, and statements
    have a time limit. With a database that is started for this command alone, no run is active.
    """
    home = settings.installation.memesnipe_home.resolve()
    if holder(home) is None or not Home(home).settings.is_file():
        with open_database(settings) as (engine, _):
            yield engine, False
        return
    url = read_resolved(Home(home).settings).servers.database_url
    assert url is not None  # noqa: S101 - resolved by `up`
    engine = connect_for_commands(url.get_secret_value())
    try:
        yield engine, True
    finally:
        engine.dispose()


def record(
    engine: Engine,
    name: CommandName,
    spec_id: str,
    reason: str,
    account: str = "",
    mint: str = "",
    *,
    began: float | None = None,
) -> SubmittedCommand:
    """Record a command, unless it was recorded over HTTP since the monotonic time ``began``.

    Raises:
        InputError: there is no run, or no such strategy or account.
        NotHeldError: there is no such position.
        MemeSnipeError: the database does not record it in time.
    """
    deadline = time.monotonic() + _RECORD_S
    asked = {"spec_id": spec_id, "reason": reason, "account": account, "mint": mint, "who": by_cli()}

    def record_once() -> SubmittedCommand:
        found = _recorded_over_http(engine, name, reason, began)
        if found is None and spec_id:
            with engine.connect() as connection:
                asked["spec_id"] = full_id(connection, spec_id, views.latest_run(connection))
        return found or submit(engine, name, **asked, deadline=deadline)

    try:
        return _within(_RECORD_S, record_once)
    except NoRunError as error:
        raise NoRunYetError(NO_RUN) from error
    except NoSuchStrategyError as error:
        raise InputError(f"{error}{_near(engine, spec_id)}; `memesnipe strategies` lists them") from error
    except NoSuchAccountError as error:
        raise InputError(f"{error}; `--account paper` names the other account") from error
    except NoSuchPositionError as error:
        raise NotHeldError(f"{error}; the page lists what is held") from error
    except TimeoutError as error:
        # Every order is recorded before it is sent, so trading is paused while the database does not respond.
        raise MemeSnipeError(
            f"PostgreSQL did not respond within {_RECORD_S:g} s; trading is paused meanwhile; try again"
        ) from error
    except DBAPIError as error:
        raise MemeSnipeError(f"PostgreSQL did not record the {name.value}: {first_line(error)}") from error


def _near(engine: Engine, spec_id: str) -> str:
    """Return the ids that begin like a wrong one, for its message; "" without any."""
    with engine.connect() as connection:
        found = ids_like(connection, _run(engine), spec_id, _SHOWN_IDS)
    return f"; ids that begin like it: {', '.join(found)}" if found else ""


def _within(seconds: float, work: Callable[[], T]) -> T:
    """Return the result of a blocking function, run in the background.

    Raises:
        TimeoutError: it has not returned in time; it is not waited for.
    """
    return BackgroundCheck(work).submit().result(seconds)


def wait_for_outcome(engine: Engine, command_id: int, wait_s: float = _OUTCOME_WAIT_S) -> str:
    """Return the outcome of a command, waiting some seconds for it."""

    def read_outcome() -> str | None:
        with engine.connect() as connection:
            return outcome(connection, command_id)

    deadline = time.monotonic() + wait_s
    while (left := deadline - time.monotonic()) > 0:
        try:
            result = _within(left, read_outcome)
        except (TimeoutError, DBAPIError):
            break  # the command is recorded; its outcome is not known yet
        if result is not None:
            return result
        time.sleep(0.05)
    return WAITING
