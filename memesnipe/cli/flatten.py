"""`memesnipe flatten`: sells every position by hand, and shows how each sale goes."""

import sys
import time
from collections.abc import Collection
from typing import Any, Final

import typer
from sqlalchemy import Engine

from memesnipe import halt_file
from memesnipe.cli.manual_commands import database_of_commands, record, wait_for_outcome
from memesnipe.cli.sale_states import SaleStates, state_of
from memesnipe.config.home import Home
from memesnipe.config.settings import load_settings
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.protocol.commands import CommandName, check_reason
from memesnipe.runtime.database import NO_RUN
from memesnipe.runtime.lock import holder
from memesnipe.runtime.terminal import print_message
from memesnipe.storage import views
from memesnipe.storage.command_submission import NoSuchAccountError, check_account
from memesnipe.storage.flattening import Held, PositionKey, Sale, read_detail, read_held, read_sales
from memesnipe.storage.wording import plural

_PAUSE_S: Final = 0.25


def flatten(account: str, reason: str, wait_s: float, *, is_confirmed: bool, json: bool) -> dict[str, Any]:
    """Sell every position of an account, of all accounts where it is empty.

    Args:
        account: live, paper, or empty.
        reason: recorded with the command.
        wait_s: seconds until what is not sold is reported.
        is_confirmed: whether the user is not asked.
        json: whether progress is not printed.

    Returns:
        The command, what was sold, and what is left with the reasons.

    Raises:
        InputError: there is no such account, or the user has not confirmed.
        MemeSnipeError: nothing is running, or the database does not respond.
    """
    check_reason(reason)
    settings = load_settings()
    home = settings.installation.memesnipe_home.resolve()
    if holder(home) is None:
        raise MemeSnipeError(
            "nothing is running, so nothing can be sold: `memesnipe up` first, then `memesnipe flatten`"
        )
    with database_of_commands(settings) as (engine, _):
        run_id, held = _read(engine, account)  # refuses an account that the run has not, before it asks
        if not is_confirmed:
            _ask(account, held)
        command_id = record(engine, CommandName.FLATTEN, "", reason, account).command_id
        try:
            halt_file.allow_exits(Home(home).signer_halt)
        except OSError as error:
            raise MemeSnipeError(f"the signer stays halted: {error}") from None
        outcome = wait_for_outcome(engine, command_id)
        follower = Follower(engine, run_id, account, held, is_quiet=json)
        left = follower.follow(command_id, wait_s)
    found = {"run_id": run_id, "command_id": command_id, "command": CommandName.FLATTEN, "outcome": outcome}
    if not json:
        print_message(_summary(follower.sold, left))
    return {**found, "sold": follower.sold, "left": left}


def _read(engine: Engine, account: str) -> tuple[int, dict[PositionKey, Held]]:
    with engine.connect() as connection:
        run_id = views.latest_run(connection)
        if run_id is None:
            raise InputError(NO_RUN)
        try:
            check_account(connection, run_id, account)
        except NoSuchAccountError as error:
            raise InputError(
                f"{error}, and nothing was done; `memesnipe flatten --account paper` sells what is held there"
            ) from None
        return run_id, read_held(connection, run_id, account)


def _ask(account: str, held: dict[PositionKey, Held]) -> None:
    """Let the user confirm.

    Raises:
        InputError: there is nobody to ask.
        typer.Abort: the user does not.
    """
    effect = _effect(account, held)
    if not sys.stdin.isatty():
        raise InputError(f"flatten {effect}: confirm with --yes")
    typer.confirm(f"This {effect}. Go on?", abort=True)


def _effect(account: str, held: dict[PositionKey, Held]) -> str:
    """Return what the command does."""
    whose = f"of the {account} account" if account else "of every account"
    if not held:
        return f"stops all entries {whose}; no position is held there"
    value = sum(each.value_lamports for each in held.values()) / LAMPORTS_PER_SOL
    return f"stops all entries {whose} and sells {plural(len(held), 'position')} for about {value:.4f} SOL"


class Follower:
    """Reads the positions and their sales, and prints what changes.

    Args:
        engine: of the database.
        run_id: the run.
        account: whose positions; empty for every account.
        held: at first.
        is_quiet: whether nothing is printed.
        only: these positions alone; None for all, also those that are opened later.
    """

    def __init__(
        self,
        engine: Engine,
        run_id: int,
        account: str,
        held: dict[PositionKey, Held],
        *,
        is_quiet: bool,
        only: Collection[PositionKey] | None = None,
    ) -> None:
        self._engine, self._run_id, self._account, self._is_quiet = engine, run_id, account, is_quiet
        self._only = only
        self._known = dict(held)
        self._states = SaleStates()
        self.sold: list[dict[str, Any]] = []

    def follow(self, command_id: int, wait_s: float) -> list[dict[str, Any]]:
        """Return the positions that are left once everything is sold, or after a time."""
        deadline = time.monotonic() + wait_s
        while True:
            is_applied, held, sales = self._look(command_id)
            self._known |= held
            self.sold = [_sold(key, self._known[key], sales.get(key)) for key in self._known if key not in held]
            if not self._is_quiet:
                states = {key: state_of(key in held, sales.get(key)) for key in self._known}
                for line in self._states.new_lines(self._known, states):
                    print_message(line)
            if (is_applied and not held) or time.monotonic() > deadline:
                return self._left(held, sales, is_applied=is_applied)
            time.sleep(_PAUSE_S)

    def _look(self, command_id: int) -> tuple[bool, dict[PositionKey, Held], dict[PositionKey, Sale]]:
        with self._engine.connect() as connection:
            commands = views.commands(connection, self._run_id, 1_000)
            command = next(each for each in commands if each["command_id"] == command_id)
            held = read_held(connection, self._run_id, self._account)
            held = {key: one for key, one in held.items() if self._only is None or key in self._only}
            sales = {} if command["seq"] is None else read_sales(connection, self._run_id, command["seq"])
        return command["outcome"] is not None, held, sales

    def _left(
        self, held: dict[PositionKey, Held], sales: dict[PositionKey, Sale], *, is_applied: bool
    ) -> list[dict[str, Any]]:
        left = []
        with self._engine.connect() as connection:
            for key, position in held.items():
                sale = sales.get(key)
                detail = read_detail(connection, self._run_id, key, sale.order_id) if sale else ""
                state = state_of(True, sale) if is_applied else "the run has not applied the command yet"
                left.append(named(key, position) | {"reason": f"{state}: {detail}" if detail else state})
        return left


def named(key: PositionKey, position: Held) -> dict[str, Any]:
    """Return a position by names."""
    return {"account": key[0], "spec_id": key[1], "mint": position.mint, "value_lamports": position.value_lamports}


def _sold(key: PositionKey, position: Held, sale: Sale | None) -> dict[str, Any]:
    return named(key, position) | {"sol_lamports": sale.sol_lamports if sale else 0}


def _summary(sold: list[dict[str, Any]], left: list[dict[str, Any]]) -> str:
    lines = [f"sold {plural(len(sold), 'position')}, {len(left)} left"]
    lines += [f"  left: {each['account']} {each['spec_id']} {each['mint']}: {each['reason']}" for each in left]
    if left:
        lines.append(
            "The desk goes on trying until `memesnipe halt` or `memesnipe risk reset`; look with `memesnipe flatten`."
        )
    lines.append("New positions are halted until `memesnipe risk reset`.")
    return "\n".join(lines)
