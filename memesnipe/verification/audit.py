"""The audit: compare the records of a run with those rederived from its events."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from memesnipe.errors import InputError
from memesnipe.protocol.messages import CommandMessage, ControlPayload
from memesnipe.protocol.payload import ProtocolError
from memesnipe.protocol.streams import (
    APPLIED_COMMANDS,
    COMMANDS,
    CONTROLS,
    EVENTS,
    EXIT_ORDERS,
    FILLS,
    POSITION_UPDATES,
    RISK_EVENTS,
    SIMULATION_RESULTS,
    TRANSIENT,
    decoder_of,
)
from memesnipe.storage import schema, schema_control
from memesnipe.storage.controls import read_controls
from memesnipe.storage.event_log import read_batches
from memesnipe.storage.runs import read_mints
from memesnipe.trading.execution import Execution
from memesnipe.trading.ledger import Ledger
from memesnipe.trading.replay import Control
from memesnipe.trading.steps import Step
from memesnipe.verification.applied_commands import OF_USERS
from memesnipe.verification.comparison import differences, name_of
from memesnipe.verification.consistency import inconsistencies, trade_inconsistencies
from memesnipe.verification.portfolio_records import portfolio_inconsistencies
from memesnipe.verification.rederivation import ConsumedOffsets, Records, Rederivation, fingerprint

_DERIVED = (FILLS, SIMULATION_RESULTS, RISK_EVENTS, EXIT_ORDERS, POSITION_UPDATES)
_TRIMMED = tuple(stream for stream in _DERIVED if stream in TRANSIENT)  # old messages are deleted from the database
_KEYS: dict[str, tuple[type[schema.Base], tuple[str, ...]]] = {
    "orders": (schema.OrderRow, ("order_id",)),
    "trades": (schema.TradeRow, ("order_id",)),
    "refusals": (schema_control.RefusalRow, ("order_id", "seq")),
    "equity": (schema.EquityRow, ("account", "seq")),
    "positions": (schema.PositionRow, ("account", "spec_id", "token")),
    "breaker": (schema.BreakerRow, ("account",)),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The inputs and the records of a run."""

    settings: dict[str, Any]
    last_seq: int  # the last event that the executor has applied
    mints: dict[int, str]
    controls: list[Control]
    payloads: dict[tuple[str, int], bytes]  # of the controls, by stream and number
    commands: list[CommandMessage]  # that the desks have applied, in this order
    consumed: ConsumedOffsets
    records: Records


def read_run(connection: Connection, run_id: int) -> Recorded:
    """Read the inputs and the records of a run.

    Raises:
        InputError: there is no such run.
    """
    run = connection.execute(select(schema.RunRow).where(schema.RunRow.run_id == run_id)).first()
    if run is None:
        raise InputError(f"--run {run_id}: there is no such run")
    controls, payloads = read_controls(connection, run_id)
    offset = schema.StreamOffsetRow
    query = select(offset.actor, offset.stream, offset.number).where(offset.run_id == run_id)
    offsets = {(row.actor, row.stream): row.number for row in connection.execute(query)}
    by_position = {stream: number for (actor, stream), number in offsets.items() if actor == "position"}
    events, fills, results = (by_position.get(stream, 0) for stream in (EVENTS, FILLS, SIMULATION_RESULTS))
    # Earlier versions of the position role read the commands themselves; the desks applied them in the same order.
    commands = by_position.get(APPLIED_COMMANDS, by_position.get(COMMANDS, 0))
    return Recorded(
        settings=run.settings,
        last_seq=offsets.get(("executor", EVENTS), 0),
        mints=dict(enumerate(read_mints(connection, run_id))),
        controls=controls,
        payloads=payloads,
        commands=list(_commands(controls, payloads)),
        consumed=ConsumedOffsets(events, fills, results, commands),
        records=_records(connection, run_id),
    )


def _commands(controls: list[Control], payloads: dict[tuple[str, int], bytes]) -> Iterator[CommandMessage]:
    """Yield the commands among the controls; the audit reports those without a valid payload."""
    for control in controls:
        payload = payloads.get((control.stream, control.entry))
        if control.stream in OF_USERS and payload is not None:
            with suppress(ProtocolError):
                yield decoder_of(control.stream)(payload)


def _records(connection: Connection, run_id: int) -> Records:
    records = Records()
    for name, (table, key) in _KEYS.items():
        columns = [column for column in table.__table__.columns if column.name != "run_id"]
        rows = connection.execute(select(*columns).where(table.run_id == run_id)).mappings()  # type: ignore[attr-defined]
        getattr(records, name).update({tuple(row[part] for part in key): dict(row) for row in rows})
    message = schema.MessageRow
    query = select(message.stream, message.number, message.payload).where(
        message.run_id == run_id, message.stream.in_(_DERIVED)
    )
    for row in connection.execute(query):
        records.messages[row.stream, row.number] = fingerprint(row.payload)
    return records


def contradictions(connection: Connection, run_id: int, recorded: Recorded, event_log: Path) -> list[str]:
    """Return one line for each contradiction within the records, whatever the events were."""
    return [
        *inconsistencies(connection, run_id, event_log),
        *portfolio_inconsistencies(connection, run_id),
        *trade_inconsistencies(recorded.records, recorded.consumed),
    ]


class Audit:
    """The audit of a run: rederives it with cores in their initial state, and compares."""

    def __init__(self, recorded: Recorded, event_log: Path, execution: Execution, ledgers: Sequence[Ledger]) -> None:
        self._recorded, self._event_log = recorded, event_log
        self._failure: list[str] = []  # why the rederivation stopped early
        self._rederivation = Rederivation(execution, ledgers, recorded.mints, recorded.commands, recorded.consumed)

    def derive(self) -> Iterator[Step]:
        """Rederive the records, and yield each step to show the progress."""
        recorded = self._recorded
        batches = partial(read_batches, self._event_log, 1, recorded.last_seq)

        def payload_of(key: tuple[str, int]) -> ControlPayload:
            if key[0] not in (*CONTROLS, APPLIED_COMMANDS):
                raise KeyError(key)
            payload: ControlPayload = decoder_of(key[0])(recorded.payloads[key])
            return payload

        try:
            yield from self._rederivation.run(batches, recorded.controls, payload_of)
        except (KeyError, ValueError, OSError, ProtocolError) as error:
            self._failure = [_reason(error)]

    def differences(self) -> list[str]:
        """Return one line for each difference between the recorded and the rederived records."""
        recorded, derived = self._recorded.records, self._rederivation.records
        repeated = [f"{what} was derived twice" for what in derived.repeated]
        return [*self._failure, *repeated, *compare(recorded, derived)]


def _reason(error: Exception) -> str:
    """Return as text why the rederivation stopped."""
    key = error.args[0] if error.args else ""
    if isinstance(error, KeyError) and isinstance(key, tuple):
        return f"{name_of(key)} was applied, but does not follow from the events"
    return f"the run cannot be rederived to its end: {type(error).__name__}: {error}"


def compare(recorded: Records, expected: Records) -> Iterator[str]:
    """Yield one line for each difference between recorded and expected records."""
    for name in _KEYS:
        yield from differences(name, getattr(recorded, name), getattr(expected, name))
    # Old results are deleted from the database; the messages that both sides still have must be equal.
    first = {stream: max(_first(recorded, stream), _first(expected, stream)) for stream in _TRIMMED}
    kept = [
        {key: content for key, content in records.messages.items() if key[1] >= first.get(key[0], 0)}
        for records in (recorded, expected)
    ]
    yield from differences("messages", *kept)


def _first(records: Records, stream: str) -> int:
    return min((number for name, number in records.messages if name == stream), default=0)
