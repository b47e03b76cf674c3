"""Decisions: the records of the portfolio and of the search, which are equal in two equal runs in lockstep."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, select

from memesnipe.protocol.streams import ALLOCATIONS, STRATEGY_SPECS
from memesnipe.storage import schema
from memesnipe.trading.records import Row
from memesnipe.verification.comparison import differences
from memesnipe.verification.rederivation import Key, fingerprint

_STREAMS = (ALLOCATIONS, STRATEGY_SPECS)
_IGNORED = ("run_id", "seconds")  # they differ between equal runs
_TABLES: dict[str, type[schema.Base]] = {
    "lifecycle": schema.LifecycleRow,
    "strategies": schema.StrategyRow,
    "allocations": schema.AllocationRow,
    "generations": schema.GenerationRow,
    "evaluations": schema.EvaluationRow,
}


@dataclass(frozen=True, slots=True)
class Decisions:
    """The recorded decisions of a run, each row under its key."""

    lifecycle: dict[Key, Row]
    strategies: dict[Key, Row]
    allocations: dict[Key, Row]
    generations: dict[Key, Row]
    evaluations: dict[Key, Row]
    messages: dict[Key, str]  # (stream, number) -> fingerprint


def read_decisions(connection: Connection, run_id: int) -> Decisions:
    """Read the records and messages of the portfolio and of the strategy factory."""
    query = select(schema.MessageRow.stream, schema.MessageRow.number, schema.MessageRow.payload).where(
        schema.MessageRow.run_id == run_id, schema.MessageRow.stream.in_(_STREAMS)
    )
    messages: dict[Key, str] = {(row.stream, row.number): fingerprint(row.payload) for row in connection.execute(query)}
    tables = {name: _rows(connection, run_id, table) for name, table in _TABLES.items()}
    return Decisions(**tables, messages=messages)


def _rows(connection: Connection, run_id: int, table: type[schema.Base]) -> dict[Key, dict[str, Any]]:
    columns = table.__table__.columns
    key = [column.name for column in columns if column.primary_key and column.name not in _IGNORED]
    wanted = [column for column in columns if column.name not in _IGNORED]
    rows = connection.execute(select(*wanted).where(columns["run_id"] == run_id)).mappings()
    return {tuple(row[name] for name in key): dict(row) for row in rows}


def compare_decisions(recorded: Decisions, expected: Decisions) -> Iterator[str]:
    """Yield one line for each difference between two runs of one tape in lockstep."""
    for field in fields(Decisions):
        yield from differences(field.name, getattr(recorded, field.name), getattr(expected, field.name))
