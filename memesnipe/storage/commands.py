"""Commands: what people ask of a run. They wait here until market_data gives each its place among the events."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Executable, bindparam, insert, select, update

from memesnipe.storage.schema_control import Command
from memesnipe.trading import command_names

_WAITING: Final = (
    select(Command.command_id, Command.name, Command.spec_id, Command.reason)
    .where(Command.run_id == bindparam("run"), Command.seq.is_(None))
    .order_by(Command.command_id)
)


class CommandName(StrEnum):
    """What can be asked for."""

    HALT = command_names.HALT  # stop all trading, as Emergency does
    RISK_RESET = command_names.RISK_RESET  # leave a halt or Emergency; the drawdown is measured from now on
    PROMOTE = command_names.PROMOTE  # one mode up, past the gates
    DEMOTE = command_names.DEMOTE  # one mode down


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command that has no place among the events yet."""

    command_id: int
    name: str
    spec_id: str
    reason: str


def request(connection: Connection, run_id: int, name: CommandName, *, spec_id: str = "", reason: str = "") -> int:
    """Ask for something; gives the number under which its outcome can be read.

    Raises:
        InputError: the reason is too long, or no text that can be stored.
    """
    command_names.check_reason(reason)
    values = {"run_id": run_id, "name": name.value, "spec_id": spec_id, "reason": reason}
    command_id: int | None = connection.scalar(insert(Command).values(values).returning(Command.command_id))
    assert command_id is not None  # noqa: S101 - an INSERT that returns nothing has raised before
    return command_id


def waiting(connection: Connection, run_id: int) -> list[PendingCommand]:
    """The commands that wait for their place, in the order in which they were asked for."""
    return [PendingCommand(*row) for row in connection.execute(_WAITING, {"run": run_id})]


def assign_seq(command_id: int, seq: int) -> Executable:
    """The statement that gives a command its place: it takes effect after the event ``seq``."""
    return update(Command).where(Command.command_id == command_id).values(seq=seq)


def outcome(connection: Connection, command_id: int) -> str | None:
    """What came of a command, or None while nothing has."""
    return connection.scalar(select(Command.outcome).where(Command.command_id == command_id))
