"""The portfolio's records: allocations, lives and strategies beside what the executor was told and obeyed."""

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from memesnipe.engine.genome import genome_from
from memesnipe.storage.schema import Allocation, LifecycleRow, Message, StrategyRow
from memesnipe.storage.schema_control import Control
from memesnipe.trading.lifecycle import Mode
from memesnipe.trading.messages import ALLOCATIONS
from memesnipe.verification.comparison import differences
from memesnipe.verification.rederivation import Key


def portfolio_inconsistencies(connection: Connection, run_id: int) -> Iterator[str]:
    """Where the portfolio's records contradict its messages or each other, one line each."""
    query = select(Message.number, Message.seq, Message.payload).where(
        Message.run_id == run_id, Message.stream == ALLOCATIONS
    )
    told = {
        row.number: {**orjson.loads(row.payload), "seq": row.seq}
        for row in connection.execute(query.order_by(Message.number))
    }
    yield from _of_allocations(connection, run_id, told)
    steps = _steps(connection, run_id)
    yield from _of_lives(steps)
    yield from _of_members(steps, told)
    yield from _of_strategies(connection, run_id, steps, told)


def _of_allocations(connection: Connection, run_id: int, told: dict[int, dict[str, Any]]) -> Iterator[str]:
    """Each row is what the executor was told, in force since the executor obeyed it, and there is no other."""
    applied = select(Control.entry, Control.effective_seq).where(
        Control.run_id == run_id, Control.stream == ALLOCATIONS
    )
    effective = {row.entry: row.effective_seq for row in connection.execute(applied)}
    expected = {
        (said["seq"], spec_id): {"allocation_usd": usd, "effective_seq": effective.get(number)}
        for number, said in told.items()
        for spec_id, usd in said["allocations_usd"].items()
    }
    recorded = {
        (row.seq, row.spec_id): {"allocation_usd": row.allocation_usd, "effective_seq": row.effective_seq}
        for row in connection.execute(select(Allocation).where(Allocation.run_id == run_id))
    }
    yield from differences("allocations", recorded, expected)


def _steps(connection: Connection, run_id: int) -> list[Row[Any]]:
    """The steps of all lives, in the order in which they were made."""
    table = LifecycleRow
    query = select(table.number, table.seq, table.spec_id, table.from_mode, table.to_mode)
    return list(connection.execute(query.where(table.run_id == run_id).order_by(table.number)))


def _of_lives(steps: list[Row[Any]]) -> Iterator[str]:
    """No step is missing, and each begins where the one before it led."""
    modes: dict[str, str] = {}
    for previous, step in zip([0, *(step.number for step in steps)], steps, strict=False):
        if step.number != previous + 1:
            yield f"lifecycle: step {previous + 1} is missing"
        before = modes.get(step.spec_id, "")
        if step.from_mode != before:
            yield f"lifecycle {step.seq}/{step.spec_id}: leaves {step.from_mode!r}, but was in {before!r}"
        modes[step.spec_id] = step.to_mode


def _of_members(steps: list[Row[Any]], told: dict[int, dict[str, Any]]) -> Iterator[str]:
    """Who joined and who retired is what the executor was told."""
    expected: dict[Key, str] = {}
    for said in told.values():
        expected |= {(said["seq"], genome_from(genome).spec_id): "joins" for genome in said["added"]}
        expected |= {(said["seq"], spec_id): "retires" for spec_id in said["removed"]}
    recorded: dict[Key, str] = {}
    for step in steps:
        if step.from_mode in ("", Mode.RETIRED) or step.to_mode == Mode.RETIRED:
            recorded[step.seq, step.spec_id] = "retires" if step.to_mode == Mode.RETIRED else "joins"
    yield from differences("lifecycle", recorded, expected)


def _of_strategies(
    connection: Connection, run_id: int, steps: list[Row[Any]], told: dict[int, dict[str, Any]]
) -> Iterator[str]:
    """Every strategy is where its life has led, with the genome that joined and the capital that was last given."""
    last = {step.spec_id: step for step in steps}
    given = told[max(told)]["allocations_usd"] if told else {}
    genomes = {genome_from(genome).spec_id: genome for said in told.values() for genome in said["added"]}
    expected = {
        (spec_id,): {
            "mode": step.to_mode,
            "allocation_usd": given.get(spec_id, 0.0),
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
            yield f"strategies {row.spec_id}: since_seq is recorded as {row.since_seq} and should be {step.seq}"
