"""`halt`, `risk`, `promote`, `demote`: what a person asks of a run, and what came of it."""

import os
import time
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Engine, select

from memesnipe.cli.database import open_database
from memesnipe.cli.lock import holder
from memesnipe.cli.output import print_json, print_table
from memesnipe.errors import InputError, RefusedError
from memesnipe.settings import load_settings
from memesnipe.storage import views
from memesnipe.storage.commands import CommandName, outcome, request
from memesnipe.storage.schema import StrategyRow

by_hand = typer.Typer()
risk = typer.Typer(no_args_is_help=True, help="The circuit breaker: how it stands, and how to leave a halt.")
by_hand.add_typer(risk, name="risk")

_PATIENCE_S: Final = 15.0
_WAITING: Final = "waiting: it takes effect at the next event"

Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Spec = Annotated[str, typer.Argument(help="Its name, as `memesnipe status` and the page show it.")]


@by_hand.command("halt")
def halt_command(reason: Reason = "", json: Json = False) -> None:
    """Stop all trading at once; what is held is kept. `memesnipe risk reset` goes on."""
    _ask(CommandName.HALT, "", reason, as_json=json)


@risk.command("reset")
def reset_command(reason: Reason = "", json: Json = False) -> None:
    """Leave a halt or Emergency; drawdown is measured anew from now on."""
    _ask(CommandName.RISK_RESET, "", reason, as_json=json)


@by_hand.command("promote")
def promote_command(spec_id: Spec, reason: Reason = "", json: Json = False) -> None:
    """Move a strategy one mode up, past the gates."""
    _ask(CommandName.PROMOTE, spec_id, reason, as_json=json)


@by_hand.command("demote")
def demote_command(spec_id: Spec, reason: Reason = "", json: Json = False) -> None:
    """Move a strategy one mode down; no gate promotes it again until you do."""
    _ask(CommandName.DEMOTE, spec_id, reason, as_json=json)


@risk.command("show")
def show_command(json: Json = False) -> None:
    """How the breaker stands, and what the risk gate has refused."""
    with open_database(load_settings()) as (engine, _), engine.connect() as connection:
        run_id = _run(engine)
        state = {"run_id": run_id, **views.risk(connection, run_id)}
    if json:
        print_json(state)
    else:
        print_table("risk", {name: value for name, value in state.items() if name != "refusals"})
        print_table("refused", state["refusals"])


def _run(engine: Engine) -> int:
    with engine.connect() as connection:
        run_id = views.latest_run(connection)
    if run_id is None:
        raise InputError("there is no run in this folder yet; start one with `memesnipe up`")
    return run_id


def _ask(name: CommandName, spec_id: str, reason: str, *, as_json: bool) -> None:
    """Ask for something, wait until it is done where someone is there to do it, and say what came of it."""
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
    if as_json:
        print_json(answer)
    else:
        print_table(name.value, answer)


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
