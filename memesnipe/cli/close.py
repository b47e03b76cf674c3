"""`memesnipe close`: sells one position, or all positions in one token, and shows how the sale goes."""

import sys
from contextlib import suppress
from typing import Any

import typer
from sqlalchemy import Engine

from memesnipe.cli.flatten import Follower, named
from memesnipe.cli.manual_commands import NotHeldError, database_of_commands, record, wait_for_outcome
from memesnipe.config.settings import load_settings
from memesnipe.errors import InputError, MemeSnipeError, RefusedError
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.protocol.commands import NOT_HELD, REFUSED, CommandName, check_reason
from memesnipe.runtime.database import NO_RUN
from memesnipe.runtime.lock import holder
from memesnipe.runtime.terminal import print_message
from memesnipe.storage import views
from memesnipe.storage.flattening import Held, PositionKey, read_held
from memesnipe.storage.strategy_ids import full_id

_SHOWN = 5
_PARTS = 3  # account, strategy and token


def close(position: str, reason: str, wait_s: float, *, is_confirmed: bool, json: bool) -> dict[str, Any]:
    """Sell one position, or all positions in a token.

    Args:
        position: the address of a token, or account, strategy and token with `/` between them.
        reason: recorded with the command.
        wait_s: seconds until what is not sold is reported.
        is_confirmed: whether the user is not asked.
        json: whether progress is not printed.

    Returns:
        The commands, what was sold, what had been sold before, and what is left with the reasons.

    Raises:
        InputError: nothing such is held, or the user has not confirmed.
        RefusedError: trading is halted.
        MemeSnipeError: nothing is running, or the database does not respond.
    """
    check_reason(reason)
    settings = load_settings()
    if holder(settings.installation.memesnipe_home.resolve()) is None:
        raise MemeSnipeError("nothing is running, so nothing can be sold: `memesnipe up` first, then `memesnipe close`")
    with database_of_commands(settings) as (engine, _):
        run_id, chosen = _read(engine, position)
        if not is_confirmed:
            _ask(chosen)
        numbers = _record_each(engine, chosen, reason)
        held = _without_sold(engine, chosen, numbers)
        gone = {key: one for key, one in chosen.items() if key not in held}
        if not json:
            for (account, spec_id, _), one in gone.items():
                print_message(f"{account} {spec_id} {one.mint}: was sold before this command")
        follower = Follower(engine, run_id, "", held, is_quiet=json, only=set(held))
        # The orders of the first command come before those of the last.
        left = follower.follow(min(numbers[key] for key in held), wait_s) if held else []
    answer = {"run_id": run_id, "command": CommandName.CLOSE, "command_ids": list(numbers.values())}
    return {**answer, "sold": follower.sold, "already_sold": [named(*each) for each in gone.items()], "left": left}


def _record_each(engine: Engine, chosen: dict[PositionKey, Held], reason: str) -> dict[PositionKey, int]:
    """Record a command for each position; return their ids, without those of positions that are not held any more."""
    numbers = {}
    for key, held in chosen.items():
        account, spec_id, _ = key
        with suppress(NotHeldError):  # its strategy has sold it meanwhile
            numbers[key] = record(engine, CommandName.CLOSE, spec_id, reason, account, held.mint).command_id
    return numbers


def _without_sold(
    engine: Engine, chosen: dict[PositionKey, Held], numbers: dict[PositionKey, int]
) -> dict[PositionKey, Held]:
    """Return the positions that were still held when their command was applied.

    Raises:
        RefusedError: trading is halted.
    """
    outcomes = {key: wait_for_outcome(engine, number) for key, number in numbers.items()}
    refusals = {key: text.removeprefix(REFUSED) for key, text in outcomes.items() if text.startswith(REFUSED)}
    for refusal in refusals.values():
        if refusal != NOT_HELD:
            raise RefusedError(refusal)
    return {key: chosen[key] for key in numbers if key not in refusals}


def _read(engine: Engine, position: str) -> tuple[int, dict[PositionKey, Held]]:
    """Return the run, and its open positions that the text names.

    Raises:
        InputError: there is none.
    """
    with engine.connect() as connection:
        run_id = views.latest_run(connection)
        if run_id is None:
            raise InputError(NO_RUN)
        parts = position.split("/")
        if len(parts) == _PARTS:
            position = "/".join((parts[0], full_id(connection, parts[1], run_id), parts[2]))
        held = read_held(connection, run_id, "")
    names = {key: f"{key[0]}/{key[1]}/{one.mint}" for key, one in held.items()}
    chosen = {key: one for key, one in held.items() if position in (one.mint, names[key])}
    if not chosen:
        shown = ", ".join(list(names.values())[:_SHOWN]) or "nothing"
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise InputError(f"{position or 'the empty name'} is not held; held: {shown}{more}")
    return run_id, chosen


def _ask(chosen: dict[PositionKey, Held]) -> None:
    """Let the user confirm.

    Raises:
        InputError: there is nobody to ask.
        typer.Abort: the user does not.
    """
    if not sys.stdin.isatty():
        raise InputError("close sells what is held: confirm with --yes")
    for (account, spec_id, _), held in chosen.items():
        print_message(f"{account} {spec_id} {held.mint}: worth {held.value_lamports / LAMPORTS_PER_SOL:.6f} SOL")
    typer.confirm(f"Sell {len(chosen)} position{'s' if len(chosen) > 1 else ''}?", abort=True)
