"""What a person asks of a run, and what came of it."""

import os
import time
from typing import Any, Final

from sqlalchemy import Engine, select

from memesnipe.cli.database import open_database
from memesnipe.cli.lock import holder
from memesnipe.errors import InputError, RefusedError
from memesnipe.settings import load_settings
from memesnipe.storage import views
from memesnipe.storage.commands import CommandName, outcome, request
from memesnipe.storage.schema import StrategyRow

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
        raise InputError("there is no run in this folder yet; start one with `memesnipe up`")
    return run_id


def ask(command: str, spec_id: str, reason: str) -> dict[str, Any]:
    """Ask for something, wait until it is done where someone is there to do it, and say what came of it.

    Raises:
        InputError: there is no run, or no such strategy.
        RefusedError: the run refuses it.
    """
    name = CommandName(command)
    settings = load_settings()
    with open_database(settings) as (engine, _):
        run_id = _run(engine)
        if spec_id:
            _assert_known(engine, run_id, spec_id)
        with engine.begin() as connection:
            command_id = request(connection, run_id, name, spec_id=spec_id, reason=reason)
        # An embedded database that we have started ourselves is nobody who would obey.
        runs = holder(settings.memesnipe_home.resolve()) not in (None, os.getpid())
        said = _wait(engine, command_id) if runs else _WAITING
    answer: dict[str, Any] = {"run_id": run_id, "command_id": command_id, "command": name.value, "outcome": said}
    if said.startswith("refused"):
        raise RefusedError(f"{name.value} {spec_id}: {said.removeprefix('refused: ')}")
    return answer


def _assert_known(engine: Engine, run_id: int, spec_id: str) -> None:
    query = select(StrategyRow.mode).where(StrategyRow.run_id == run_id, StrategyRow.spec_id == spec_id)
    with engine.connect() as connection:
        if connection.scalar(query) is None:
            raise InputError(f"{spec_id}: there is no such strategy in run {run_id}; `memesnipe status` names them")


def _wait(engine: Engine, command_id: int) -> str:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            said = outcome(connection, command_id)
        if said is not None:
            return said
        time.sleep(0.05)
    return _WAITING
