"""What a person asks of a run, and what came of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.config.home import RESOLVED
from memesnipe.config.settings import Settings, load_settings, read_resolved
from memesnipe.errors import InputError, MemeSnipeError, RefusedError, first_line
from memesnipe.protocol.commands import CommandName, check_reason
from memesnipe.runtime.database import NO_RUN, open_database
from memesnipe.runtime.lock import holder
from memesnipe.storage import asking, views
from memesnipe.storage.commands import outcome

T = TypeVar("T")

_RECORD_S: Final = 5.0
_PATIENCE_S: Final = 15.0
_WAITING: Final = "waiting: it takes effect at the next event"


def risk_state() -> dict[str, Any]:
    """How the breaker of the newest run stands, and what the risk gate has refused."""
    with open_database(load_settings()) as (engine, _), engine.connect() as connection:
        run_id = _run(engine)
        return {"run_id": run_id, **views.risk(connection, run_id)}


def _run(engine: Engine) -> int:
    with engine.connect() as connection:
        run_id = views.latest_run(connection)
    if run_id is None:
        raise InputError(NO_RUN)
    return run_id


def ask(command: str, spec_id: str, reason: str) -> dict[str, Any]:
    """Ask for something, wait until it is done where someone is there to do it, and say what came of it.

    Raises:
        InputError: there is no run, or no such strategy, or the reason cannot be recorded.
        RefusedError: the run refuses it.
        MemeSnipeError: the database does not answer in time.
    """
    check_reason(reason)
    name = CommandName(command)
    with _database_of_commands(load_settings()) as (engine, runs):
        asked = _record(engine, name, spec_id, reason)
        said = _wait(engine, asked.command_id) if runs else _WAITING
    if said.startswith("refused"):
        raise RefusedError(f"{name.value} {spec_id}: {said.removeprefix('refused: ')}")
    return {"run_id": asked.run_id, "command_id": asked.command_id, "command": name.value, "outcome": said}


@contextmanager
def _database_of_commands(settings: Settings) -> Iterator[tuple[Engine, bool]]:
    """The database, and whether a run is there to obey.

    What runs in this folder has brought its database up to date, so a command for it waits for no migration, and its
    statements have a time limit. A database that we start ourselves is nobody who would obey.
    """
    home = settings.memesnipe_home.resolve()
    if holder(home) is None or not (home / RESOLVED).is_file():
        with open_database(settings) as (engine, _):
            yield engine, False
        return
    url = read_resolved(home / RESOLVED).database_url
    assert url is not None  # noqa: S101 - `up` has resolved it
    engine = asking.connect_to_ask(url.get_secret_value())
    try:
        yield engine, True
    finally:
        engine.dispose()


def _record(engine: Engine, name: CommandName, spec_id: str, reason: str) -> asking.Asked:
    deadline = time.monotonic() + _RECORD_S
    try:
        return _within(_RECORD_S, lambda: asking.ask(engine, name, spec_id=spec_id, reason=reason, deadline=deadline))
    except asking.NoRunError as error:
        raise InputError(NO_RUN) from error
    except asking.NoSuchStrategyError as error:
        raise InputError(f"{error}; `memesnipe status` names them") from error
    except TimeoutError as error:
        # Every order is recorded before it is sent, so the same silence keeps everything from trading.
        raise MemeSnipeError(
            f"PostgreSQL does not answer within {_RECORD_S:g} s, and nothing trades meanwhile; ask again"
        ) from error
    except DBAPIError as error:
        raise MemeSnipeError(f"PostgreSQL does not take up the {name.value}: {first_line(error)}") from error


def _within(seconds: float, work: Callable[[], T]) -> T:
    """What a blocking function gives; who waits for a server that stands still is not kept by it."""
    return BackgroundCheck(work).ask().result(seconds)


def _wait(engine: Engine, command_id: int) -> str:
    def look() -> str | None:
        with engine.connect() as connection:
            return outcome(connection, command_id)

    deadline = time.monotonic() + _PATIENCE_S
    while (left := deadline - time.monotonic()) > 0:
        try:
            said = _within(left, look)
        except (TimeoutError, DBAPIError):
            break  # it is recorded; what comes of it is told later
        if said is not None:
            return said
        time.sleep(0.05)
    return _WAITING
