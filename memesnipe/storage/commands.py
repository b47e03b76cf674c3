"""Manual commands in the database: recorded on enqueue, pending until an event is assigned to each.

market_data assigns it; to a flatten of a run that is not in lockstep the executor does, which waits for nobody then.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import Connection, Executable, Select, bindparam, func, insert, select, update

from memesnipe.market.events import NO_TOKEN
from memesnipe.protocol.commands import BY_KILL_FILE, CommandName, check_reason
from memesnipe.protocol.messages import CommandMessage
from memesnipe.storage.schema_control import CommandRow

_Message = TypeVar("_Message", bound=CommandMessage)

_PENDING: Final = (
    select(
        CommandRow.command_id,
        CommandRow.name,
        CommandRow.spec_id,
        CommandRow.reason,
        CommandRow.account,
        CommandRow.token,
    )
    .where(CommandRow.run_id == bindparam("run"), CommandRow.seq.is_(None))
    .order_by(CommandRow.command_id)
)
_FLATTENS: Final = _PENDING.where(CommandRow.name == CommandName.FLATTEN)
_OTHERS: Final = _PENDING.where(CommandRow.name != CommandName.FLATTEN)


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command that has no event assigned yet."""

    command_id: int
    name: str
    spec_id: str
    reason: str
    account: str
    token: int

    def at(self, seq: int, message: type[_Message] = CommandMessage) -> _Message:  # type: ignore[assignment]
        """Return the message that makes the command effective after event ``seq``."""
        return message(
            seq=seq,
            command_id=self.command_id,
            name=CommandName(self.name),
            spec_id=self.spec_id,
            reason=self.reason,
            account=self.account,
            token=self.token,
        )


def enqueue(
    connection: Connection,
    run_id: int,
    name: CommandName,
    *,
    spec_id: str = "",
    reason: str = "",
    account: str = "",
    token: int = NO_TOKEN,
    mint: str = "",
) -> int:
    """Enqueue a command; return its id.

    Raises:
        InputError: the reason is too long, or cannot be stored.
    """
    check_reason(reason)
    values = {"run_id": run_id, "name": name.value, "spec_id": spec_id, "reason": reason, "account": account}
    values |= {"token": token, "mint": mint}
    command_id: int | None = connection.scalar(insert(CommandRow).values(values).returning(CommandRow.command_id))
    assert command_id is not None  # noqa: S101 - an INSERT that returns nothing has raised before
    return command_id


def is_halt_recorded(connection: Connection, run_id: int) -> bool:
    """Return whether the last command about halting forbids entries."""
    last = connection.execute(_last_of_halting(run_id)).first()
    return last is not None and last.name != CommandName.RISK_RESET


def halt_by_kill_file(connection: Connection, run_id: int, within_s: float) -> int | None:
    """Return the halt that market_data has recorded in the last seconds for the kill file, or None.

    None also where a later command is about halting too.
    """
    last = connection.execute(_last_of_halting(run_id)).first()
    if last is None or last.reason != BY_KILL_FILE or last.age_s > within_s:
        return None
    command_id: int = last.command_id
    return command_id


def _last_of_halting(run_id: int) -> Select[int, str, str, int]:
    names = [CommandName.HALT.value, CommandName.FLATTEN.value, CommandName.RISK_RESET.value]
    age_s = func.extract("epoch", func.now() - CommandRow.requested_at).label("age_s")
    query = select(CommandRow.command_id, CommandRow.name, CommandRow.reason, age_s)
    query = query.where(CommandRow.run_id == run_id, CommandRow.name.in_(names))
    return query.order_by(CommandRow.command_id.desc()).limit(1)


def pending_commands(connection: Connection, run_id: int, *, with_flattens: bool) -> list[PendingCommand]:
    """Return the commands that have no event assigned, in the order in which they were recorded."""
    query = _PENDING if with_flattens else _OTHERS
    return [PendingCommand(*row) for row in connection.execute(query, {"run": run_id})]


def pending_flattens(connection: Connection, run_id: int) -> list[PendingCommand]:
    """Return the flattens that have no event assigned, in the order in which they were recorded."""
    return [PendingCommand(*row) for row in connection.execute(_FLATTENS, {"run": run_id})]


def assign_seq(command_id: int, seq: int) -> Executable:
    """Return the statement that makes a command effective after event ``seq``."""
    return update(CommandRow).where(CommandRow.command_id == command_id).values(seq=seq)


def record_outcome(command_id: int, found: str) -> Executable:
    """Return the statement that records the outcome of a command."""
    return update(CommandRow).where(CommandRow.command_id == command_id).values(outcome=found)


def outcome(connection: Connection, command_id: int) -> str | None:
    """Return the outcome of a command, or None while it has none."""
    return connection.scalar(select(CommandRow.outcome).where(CommandRow.command_id == command_id))
