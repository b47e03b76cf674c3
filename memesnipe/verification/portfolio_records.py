"""The portfolio's records: allocations, lifecycle and strategies must agree with the published allocations."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, select

from memesnipe.protocol.messages import AllocationMessage
from memesnipe.protocol.streams import ALLOCATIONS
from memesnipe.storage.messages import read_messages
from memesnipe.storage.schema import AllocationRow, LifecycleRow, StrategyRow
from memesnipe.storage.schema_control import ControlRow
from memesnipe.trading.lifecycle import Mode
from memesnipe.verification.comparison import differences
from memesnipe.verification.rederivation import Key


def portfolio_inconsistencies(connection: Connection, run_id: int) -> Iterator[str]:
    """Yield one line for each contradiction between the portfolio's records and its messages."""
    published: dict[int, AllocationMessage] = {
        message.number: message.payload
        for message in read_messages(connection, run_id, ALLOCATIONS)
        if message.payload is not None
    }
    yield from _of_allocations(connection, run_id, published)
    steps = _steps(connection, run_id)
    yield from _of_lifecycle(steps)
    yield from _of_members(steps, published)
    yield from _of_strategies(connection, run_id, steps, published)


def _of_allocations(connection: Connection, run_id: int, published: dict[int, AllocationMessage]) -> Iterator[str]:
    """Check that the rows are the published allocations, effective since the executor applied them."""
    applied = select(ControlRow.entry, ControlRow.effective_seq).where(
        ControlRow.run_id == run_id, ControlRow.stream == ALLOCATIONS
    )
    effective = {row.entry: row.effective_seq for row in connection.execute(applied)}
    expected = {
        (message.seq, spec_id): {"allocation_usd": usd, "effective_seq": effective.get(number)}
        for number, message in published.items()
        for spec_id, usd in message.allocations_usd.items()
    }
    recorded = {
        (row.seq, row.spec_id): {"allocation_usd": row.allocation_usd, "effective_seq": row.effective_seq}
        for row in connection.execute(select(AllocationRow).where(AllocationRow.run_id == run_id))
    }
    yield from differences("allocations", recorded, expected)


def _steps(connection: Connection, run_id: int) -> list[Row[Any]]:
    """Return the lifecycle steps of all strategies in their order."""
    table = LifecycleRow
    query = select(table.number, table.seq, table.spec_id, table.from_mode, table.to_mode)
    return list(connection.execute(query.where(table.run_id == run_id).order_by(table.number)))


def _of_lifecycle(steps: list[Row[Any]]) -> Iterator[str]:
    """Check that no step is missing, and that each begins in the mode in which the one before it ended."""
    modes: dict[str, str] = {}
    for previous, step in zip([0, *(step.number for step in steps)], steps, strict=False):
        if step.number != previous + 1:
            yield f"lifecycle: step {previous + 1} is missing"
        before = modes.get(step.spec_id, "")
        if step.from_mode != before:
            yield f"lifecycle {step.seq}/{step.spec_id}: leaves {step.from_mode!r}, but was in {before!r}"
        modes[step.spec_id] = step.to_mode


def _of_members(steps: list[Row[Any]], published: dict[int, AllocationMessage]) -> Iterator[str]:
    """Check that the strategies that joined and retired are those of the messages."""
    expected: dict[Key, str] = {}
    for message in published.values():
        expected |= {(message.seq, genome.spec_id): "joins" for genome in message.added}
        expected |= {(message.seq, spec_id): "retires" for spec_id in message.removed}
    recorded: dict[Key, str] = {}
    for step in steps:
        if step.from_mode in ("", Mode.RETIRED) or step.to_mode == Mode.RETIRED:
            recorded[step.seq, step.spec_id] = "retires" if step.to_mode == Mode.RETIRED else "joins"
    yield from differences("lifecycle", recorded, expected)


def _of_strategies(
    connection: Connection, run_id: int, steps: list[Row[Any]], published: dict[int, AllocationMessage]
) -> Iterator[str]:
    """Check mode, genome and allocation of every strategy."""
    last = {step.spec_id: step for step in steps}
    allocations_usd = published[max(published)].allocations_usd if published else {}
    genomes = {genome.spec_id: genome.to_dict() for message in published.values() for genome in message.added}
    expected = {
        (spec_id,): {
            "mode": step.to_mode,
            "allocation_usd": allocations_usd.get(spec_id, 0.0),
            "genome": genomes.get(spec_id),
        }
        for spec_id, step in last.items()
    }
    rows = connection.execute(select(StrategyRow).where(StrategyRow.run_id == run_id)).all()
    recorded = {
        (row.spec_id,): {"mode": row.mode, "allocation_usd": row.allocation_usd, "genome": row.genome} for row in rows
    }
    yield from differences("strategies", recorded, expected)
    for row in rows:
        step = last.get(row.spec_id)
        if step is not None and row.since_seq != step.seq:
            yield f"strategies {row.spec_id}: since_seq is recorded as {row.since_seq}, expected {step.seq}"
