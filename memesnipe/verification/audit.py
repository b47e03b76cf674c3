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
from memesnipe.trading.execution import Execution, Step
from memesnipe.trading.ledger import Ledger
from memesnipe.trading.messages import (
    COMMANDS,
    EXIT_ORDERS,
    FILLS,
    POSITION_UPDATES,
    RISK_EVENTS,
    SIMULATION_RESULTS,
)
from memesnipe.trading.replay import Control
from memesnipe.verification.comparison import differences, name_of
from memesnipe.verification.consistency import inconsistencies, trade_inconsistencies
from memesnipe.verification.portfolio_records import portfolio_inconsistencies
from memesnipe.verification.rederivation import Command, ConsumedOffsets, Records, Rederivation, fingerprint

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
    reach: ConsumedOffsets
    books: Records


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
            select(schema.StreamOffsetRow.actor, schema.StreamOffsetRow.stream, schema.StreamOffsetRow.position).where(
                schema.StreamOffsetRow.run_id == run_id
            )
        )
    }
    reach = ConsumedOffsets(
        *(positions.get(("position", stream), 0) for stream in (FILLS, SIMULATION_RESULTS, COMMANDS))
    )
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


def _books(connection: Connection, run_id: int) -> Records:
    books = Records()
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


def contradictions(connection: Connection, run_id: int, recorded: Recorded, event_log: Path) -> list[str]:
    """Where the records of a run cannot all be true whatever its events were, one line each."""
    return [
        *inconsistencies(connection, run_id, event_log),
        *portfolio_inconsistencies(connection, run_id),
        *trade_inconsistencies(recorded.books, recorded.reach),
    ]


class Audit:
    """Derives a run again, with cores that have seen nothing yet, and compares."""

    def __init__(self, recorded: Recorded, event_log: Path, execution: Execution, ledger: Ledger) -> None:
        self._recorded, self._event_log = recorded, event_log
        self._broken: list[str] = []  # why it could not be derived to its end
        self._derivation = Rederivation(execution, ledger, recorded.mints, recorded.commands, recorded.reach)

    def derive(self) -> Iterator[Step]:
        """Make the books again; the steps show how far it is."""
        recorded = self._recorded
        batches = partial(read_batches, self._event_log, 1, recorded.last_seq)
        try:
            yield from self._derivation.run(batches, recorded.controls, recorded.said)
        except (KeyError, ValueError, OSError) as error:
            self._broken = [_why(error)]

    def differences(self) -> list[str]:
        """Where the recorded books are not the derived ones, one line each."""
        recorded, derived = self._recorded.books, self._derivation.books
        twice = [f"{what} was derived twice" for what in derived.repeated]
        return [*self._broken, *twice, *compare(recorded, derived)]


def _why(error: Exception) -> str:
    """Why the derivation could not go on."""
    told = error.args[0] if error.args else ""
    if isinstance(error, KeyError) and isinstance(told, tuple):
        return f"{name_of(told)} was obeyed, but does not follow from the events"
    return f"the run cannot be derived to its end: {type(error).__name__}: {error}"


def compare(recorded: Records, expected: Records) -> Iterator[str]:
    """Where recorded books are not what was expected, one line each."""
    for name in _KEYS:
        yield from differences(name, getattr(recorded, name), getattr(expected, name))
    # Old results leave the database; what both sides have left must be the same.
    first = {stream: max(_first(recorded, stream), _first(expected, stream)) for stream in _FORGOTTEN}
    left = [
        {key: said for key, said in books.messages.items() if key[1] >= first.get(key[0], 0)}
        for books in (recorded, expected)
    ]
    yield from differences("messages", *left)


def _first(books: Records, stream: str) -> int:
    return min((number for told, number in books.messages if told == stream), default=0)
