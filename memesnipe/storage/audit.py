"""The audit: a run's recorded books beside those derived from its events, and where they differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, select

from memesnipe.errors import InputError
from memesnipe.storage import schema, schema_control
from memesnipe.storage.controls import read_controls
from memesnipe.storage.event_log import read_batches
from memesnipe.storage.runs import read_mints
from memesnipe.trading.derivation import Books, Command, Derivation, Reach, fingerprint
from memesnipe.trading.execution import Execution, Step
from memesnipe.trading.ledger import Ledger
from memesnipe.trading.messages import (
    ALLOCATIONS,
    COMMANDS,
    EXIT_ORDERS,
    FILLS,
    POSITION_UPDATES,
    RISK_EVENTS,
    SIMULATION_RESULTS,
)
from memesnipe.trading.replay import Control

_DERIVED = (FILLS, SIMULATION_RESULTS, RISK_EVENTS, EXIT_ORDERS, POSITION_UPDATES)
_FORGOTTEN = (SIMULATION_RESULTS,)  # old ones leave the database
_KEYS: dict[str, tuple[type[schema.Base], tuple[str, ...]]] = {
    "orders": (schema.OrderRow, ("order_id",)),
    "trades": (schema.Trade, ("order_id",)),
    "refusals": (schema_control.Refusal, ("order_id", "seq")),
    "equity": (schema.Equity, ("seq",)),
    "positions": (schema.PositionRow, ("spec_id", "token")),
    "breaker": (schema.BreakerRow, ()),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run left behind: what decided it, and what came of it."""

    settings: dict[str, Any]
    status: str
    last_seq: int  # the last event that the executor has taken in
    mints: dict[int, str]
    controls: list[Control]
    said: dict[tuple[str, int], dict[str, Any]]
    commands: list[Command]
    reach: Reach
    books: Books


def read_run(connection: Connection, run_id: int) -> Recorded:
    """Read a run.

    Raises:
        InputError: there is no such run.
    """
    run = connection.execute(select(schema.Run).where(schema.Run.run_id == run_id)).first()
    if run is None:
        raise InputError(f"--run {run_id}: there is no such run")
    controls, said = read_controls(connection, run_id)
    positions = {
        (row.actor, row.stream): row.position
        for row in connection.execute(
            select(
                schema.ConsumerPosition.actor, schema.ConsumerPosition.stream, schema.ConsumerPosition.position
            ).where(schema.ConsumerPosition.run_id == run_id)
        )
    }
    reach = Reach(*(positions.get(("position", stream), 0) for stream in (FILLS, SIMULATION_RESULTS, COMMANDS)))
    return Recorded(
        settings=run.settings,
        status=run.status,
        last_seq=positions.get(("executor", "events"), 0),
        mints=dict(enumerate(read_mints(connection, run_id))),
        controls=controls,
        said=dict(said),
        commands=_commands(connection, run_id),
        reach=reach,
        books=_books(connection, run_id),
    )


def _commands(connection: Connection, run_id: int) -> list[Command]:
    message = schema.Message
    query = select(message.number, message.seq, message.payload).where(
        message.run_id == run_id, message.stream == COMMANDS
    )
    found = connection.execute(query.order_by(message.number))
    return [Command(row.number, row.seq, orjson.loads(row.payload)["name"]) for row in found]


def _books(connection: Connection, run_id: int) -> Books:
    books = Books()
    for name, (table, key) in _KEYS.items():
        columns = [column for column in table.__table__.columns if column.name != "run_id"]
        rows = connection.execute(select(*columns).where(table.run_id == run_id)).mappings()  # type: ignore[attr-defined]
        getattr(books, name).update({tuple(row[part] for part in key): dict(row) for row in rows})
    message = schema.Message
    query = select(message.stream, message.number, message.payload).where(
        message.run_id == run_id, message.stream.in_(_DERIVED)
    )
    for row in connection.execute(query):
        books.messages[row.stream, row.number] = fingerprint(row.payload)
    return books


class Audit:
    """Derives a run again, with cores that have seen nothing yet, and compares."""

    def __init__(self, recorded: Recorded, event_log: Path, execution: Execution, ledger: Ledger) -> None:
        self._recorded, self._event_log = recorded, event_log
        self._broken: list[str] = []  # why it could not be derived to its end
        self._derivation = Derivation(execution, ledger, recorded.mints, recorded.commands, recorded.reach)

    def derive(self) -> Iterator[Step]:
        """Make the books again; the steps show how far it is."""
        recorded = self._recorded
        batches = partial(read_batches, self._event_log, 1, recorded.last_seq)
        try:
            yield from self._derivation.run(batches, recorded.controls, recorded.said)
        except KeyError as error:
            self._broken = [f"{_name(error.args[0])} was obeyed, but does not follow from the events"]

    def differences(self) -> list[str]:
        """Where the recorded books are not the derived ones, one line each."""
        recorded, derived = self._recorded.books, self._derivation.books
        twice = [f"{what} was derived twice" for what in derived.repeated]
        return [*self._broken, *twice, *compare(recorded, derived), *_inconsistencies(recorded, self._recorded.reach)]


def compare(recorded: Books, expected: Books) -> Iterator[str]:
    """Where recorded books are not what was expected, one line each."""
    for name in _KEYS:
        yield from _compare(name, getattr(recorded, name), getattr(expected, name))
    # Old results leave the database; what is left must be right.
    kept = {s: min((n for stream, n in recorded.messages if stream == s), default=0) for s in _FORGOTTEN}
    messages = {key: said for key, said in expected.messages.items() if key[1] >= kept.get(key[0], 0)}
    yield from _compare("messages", recorded.messages, messages)


def _compare(what: str, recorded: dict[Any, Any], derived: dict[Any, Any]) -> Iterator[str]:
    for key in sorted(recorded.keys() - derived.keys()):
        yield f"{what} {_name(key)} was recorded, but should not be there"
    for key in sorted(derived.keys() - recorded.keys()):
        yield f"{what} {_name(key)} should be there, but was not recorded"
    for key in sorted(recorded.keys() & derived.keys()):
        if recorded[key] != derived[key]:
            yield f"{what} {_name(key)}: {_difference(recorded[key], derived[key])}"


def _name(key: tuple[Any, ...]) -> str:
    return "/".join(map(str, key))


def _difference(recorded: Any, derived: Any) -> str:
    if not isinstance(recorded, dict):
        return "says something else"
    names = [name for name in recorded if recorded[name] != derived.get(name)]
    return ", ".join(f"{name} is recorded as {recorded[name]!r} and should be {derived.get(name)!r}" for name in names)


def _inconsistencies(books: Books, reach: Reach) -> Iterator[str]:
    """What the recorded books say that cannot be true whatever the events were."""
    held: dict[tuple[str, int], int] = {}
    for (order_id,), trade in books.trades.items():
        order = books.orders.get((order_id,))
        expected = "failed" if trade["failure"] else "landed"
        if order is None or order["status"] != expected:
            yield f"trades {order_id}: its order is {order['status'] if order else 'missing'}, not {expected}"
        sign = {"buy": 1, "sell": -1}.get(trade["side"], 0)
        key = (trade["spec_id"], trade["token"])
        held[key] = held.get(key, 0) + sign * trade["token_raw"]
    if len(books.trades) > reach.fills:
        return  # an unfinished run: some trades are still to be booked
    for key, token_raw in held.items():
        position = books.positions.get(key)
        if position is None or position["token_raw"] != token_raw:
            yield f"positions {_name(key)}: the trades add up to {token_raw} raw tokens"


def allocation_differences(connection: Connection, run_id: int, recorded: Recorded) -> Iterator[str]:
    """Where the allocations in the books are not those that the executor obeyed, one line each."""
    effective = {
        recorded.said[control.stream, control.entry]["seq"]: control.effective_seq
        for control in recorded.controls
        if control.stream == ALLOCATIONS
    }
    row = schema.Allocation
    query = select(row.seq, row.effective_seq).where(row.run_id == run_id).distinct().order_by(row.seq)
    for seq, recorded_seq in connection.execute(query):
        if recorded_seq is not None and effective.get(seq) != recorded_seq:
            yield f"allocations {seq}: in force after {recorded_seq}, but obeyed after {effective.get(seq)}"
