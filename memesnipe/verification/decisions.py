"""What was decided: the books of the portfolio and of the search, which two equal runs in lockstep have in common."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, select

from memesnipe.storage import schema
from memesnipe.trading.messages import ALLOCATIONS
from memesnipe.trading.records import Row
from memesnipe.verification.comparison import differences
from memesnipe.verification.rederivation import Key, fingerprint

_TOLD = (ALLOCATIONS, "strategy_specs")
_LEFT_OUT = ("run_id", "seconds")  # the one is ours to compare, the other is the machine's
_TABLES: dict[str, type[schema.Base]] = {
    "lifecycle": schema.LifecycleRow,
    "strategies": schema.StrategyRow,
    "allocations": schema.Allocation,
    "generations": schema.Generation,
    "evaluations": schema.Evaluation,
}


@dataclass(frozen=True, slots=True)
class Decided:
    """Each row under its key."""

    lifecycle: dict[Key, Row]
    strategies: dict[Key, Row]
    allocations: dict[Key, Row]
    generations: dict[Key, Row]
    evaluations: dict[Key, Row]
    messages: dict[Key, str]  # (stream, number) -> fingerprint


def read_decided(connection: Connection, run_id: int) -> Decided:
    """What the portfolio and the factory of a run have written down and told."""
    query = select(schema.Message.stream, schema.Message.number, schema.Message.payload).where(
        schema.Message.run_id == run_id, schema.Message.stream.in_(_TOLD)
    )
    messages: dict[Key, str] = {(row.stream, row.number): fingerprint(row.payload) for row in connection.execute(query)}
    tables = {name: _rows(connection, run_id, table) for name, table in _TABLES.items()}
    return Decided(**tables, messages=messages)


def _rows(connection: Connection, run_id: int, table: type[schema.Base]) -> dict[Key, dict[str, Any]]:
    columns = table.__table__.columns
    key = [column.name for column in columns if column.primary_key and column.name not in _LEFT_OUT]
    wanted = [column for column in columns if column.name not in _LEFT_OUT]
    rows = connection.execute(select(*wanted).where(columns["run_id"] == run_id)).mappings()
    return {tuple(row[name] for name in key): dict(row) for row in rows}


def compare_decided(recorded: Decided, expected: Decided) -> Iterator[str]:
    """Where one run has decided otherwise than another one of the same tape in lockstep, one line each."""
    for field in fields(Decided):
        yield from differences(field.name, getattr(recorded, field.name), getattr(expected, field.name))
