"""The audit reports every changed, missing or duplicate record of a finished run."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from memesnipe.protocol import streams
from memesnipe.protocol.streams import (
    ALLOCATIONS,
    APPLIED_COMMANDS,
    COMMANDS,
    CONTROLS,
    EXECUTION_REPORTS,
    EXIT_ORDERS,
    FILLS,
    POSITION_UPDATES,
    SIMULATION_RESULTS,
)
from memesnipe.storage.schema_control import ControlRow
from memesnipe.verification.audit import compare, contradictions, read_run
from memesnipe.verification.conditions import audit_of, settings_of
from memesnipe.verification.decisions import compare_decisions, read_decisions
from tests.tapes.bad_tapes import flipped
from tests.verification.small_run import SmallRuns, families_in, small_runs

# Reports come from venues with transactions: tests/execution replays those.
PAPER_CONTROLS = tuple(stream for stream in CONTROLS if stream != EXECUTION_REPORTS)

pytestmark = pytest.mark.timeout(600)


@dataclass
class Recorded:
    """A finished run, and a transaction in which it can be changed for the time of a test."""

    run_id: int
    event_log: Path
    connection: sa.Connection

    def change(self, sql: str) -> None:
        assert self.connection.execute(sa.text(sql), {"r": self.run_id}).rowcount > 0, "there is nothing to change"

    def contradictions(self) -> list[str]:
        recorded = read_run(self.connection, self.run_id)
        return contradictions(self.connection, self.run_id, recorded, self.event_log)

    def differences(self) -> list[str]:
        recorded = read_run(self.connection, self.run_id)
        audit = audit_of(recorded, self.event_log, settings_of(recorded), families_in())
        for _ in audit.derive():
            pass
        return [*self.contradictions(), *audit.differences()]

    def rewrite_controls(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        """Replace the recorded controls, numbered as the executor numbers them."""
        table = ControlRow.__table__
        query = sa.select(table).where(table.c.run_id == self.run_id).order_by(table.c.number)
        rows = change([dict(row) for row in self.connection.execute(query).mappings()])
        self.connection.execute(sa.delete(ControlRow).where(ControlRow.run_id == self.run_id))
        self.connection.execute(sa.insert(ControlRow), [{**row, "number": i} for i, row in enumerate(rows, start=1)])


def faults_of(operator: redis.Redis) -> list[Callable[[], object]]:
    """Delete streams, delete entries, and add foreign entries: one function for each fault."""

    def write(stream: str, identifier: str) -> None:
        last = operator.xrevrange(stream, count=1)
        number = int(last[0][0].split(b"-")[0]) if last else 0
        fields = {"seq": "5", "data": '{"seq":5,"command_id":9,"name":"halt","spec_id":"","reason":"","kind":"price"}'}
        # Redis refuses an identifier below one that the stream has had: the same fault was there before.
        with suppress(redis.ResponseError):
            operator.xadd(stream, fields, id=identifier.format(number, number + 1))  # type: ignore[arg-type]

    ids = ("*", "{1}-0", "{1}-18446744073709551615", "{0}-18446744073709551615")
    named = (COMMANDS, APPLIED_COMMANDS, "events:price", FILLS, ALLOCATIONS, SIMULATION_RESULTS, EXIT_ORDERS)
    named = (*named, POSITION_UPDATES)
    return [
        *(partial(write, stream, entry_id) for entry_id in ids for stream in named),
        *(partial(operator.delete, stream) for stream in (*named, *streams.EVENT_STREAMS)),
        *(partial(operator.xtrim, stream, maxlen=1, approximate=False) for stream in named),
    ]


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory,
    database: sa.Engine,
    empty_redis: Callable[[], str],
    as_operator: Callable[[str], str],
) -> Iterator[tuple[SmallRuns, int, int]]:
    """A run without faults, and one with faults in its streams."""
    url = empty_redis()
    home = tmp_path_factory.mktemp("home")
    with small_runs(home, database, url) as made, redis.Redis.from_url(as_operator(url)) as operator:

        def check(run_id: int) -> None:
            with database.connect() as connection:
                assert Recorded(run_id, made.event_log(run_id), connection).differences() == [], "unfinished"

        yield (
            made,
            made.run("replay:small", check),
            made.run("replay:again", check, faults_of(operator)),
        )


@pytest.fixture
def run(runs: tuple[SmallRuns, int, int], database: sa.Engine) -> Iterator[Recorded]:
    small, run_id, _ = runs
    with database.connect() as connection:
        yield Recorded(run_id, small.event_log(run_id), connection)
        connection.rollback()


def named(found: list[str], expected: str) -> bool:
    return any(expected in line for line in found)


def test_an_unchanged_run_is_consistent_and_has_every_kind_of_record(run: Recorded) -> None:
    assert run.differences() == []
    tables = ("orders", "trades", "refusals", "equity", "positions", "breaker", "allocations", "lifecycle")
    for table in tables:
        assert run.connection.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE run_id = {run.run_id}")), table
    applied = run.connection.scalars(sa.text(f"SELECT DISTINCT stream FROM controls WHERE run_id = {run.run_id}"))
    assert set(applied) == set(PAPER_CONTROLS)
    closed = f"SELECT count(*) FROM orders WHERE run_id = {run.run_id} AND reason = 'close'"
    assert run.connection.scalar(sa.text(closed)), "the position was sold that a person closed"


def test_a_close_of_another_position_would_have_led_to_other_orders(run: Recorded) -> None:
    other = "payload = replace(payload, '\"token\"\\:', '\"token\"\\:9')"
    run.change(f'UPDATE messages SET {other} WHERE run_id = :r AND payload LIKE \'%"name"\\:"close"%\'')
    run.change(
        "UPDATE commands SET token = ('9' || token)::bigint WHERE run_id = :r AND name = 'close'".replace(
            "::", "\\:\\:"
        )
    )
    assert named(run.differences(), "orders")


@pytest.mark.parametrize("stream", PAPER_CONTROLS)
def test_a_control_missing_from_the_controls_is_reported(run: Recorded, stream: str) -> None:
    run.rewrite_controls(lambda rows: [row for row in rows if row["stream"] != stream])
    assert named(run.contradictions(), f"controls: {stream} was consumed up to")


@pytest.mark.parametrize("stream", PAPER_CONTROLS)
def test_a_control_that_was_never_consumed_is_reported(run: Recorded, stream: str) -> None:
    run.rewrite_controls(lambda rows: [row for row in rows if row["stream"] != stream])
    run.change(f"DELETE FROM stream_offsets WHERE run_id = :r AND actor = 'executor' AND stream = '{stream}'")
    assert named(run.contradictions(), "the run is finished, but executor has consumed 0 of")


@pytest.mark.parametrize("stream", PAPER_CONTROLS)
def test_a_control_applied_twice_is_reported(run: Recorded, stream: str) -> None:
    run.rewrite_controls(lambda rows: [row for r in rows for row in ([r, r] if r["stream"] == stream else [r])])
    assert named(run.contradictions(), f"{stream}/1 was applied where {stream}/2 is next")


def test_controls_applied_out_of_order_are_reported(run: Recorded) -> None:
    run.rewrite_controls(lambda rows: [rows[1], rows[0], *rows[2:]])
    assert named(run.contradictions(), f"{ALLOCATIONS}/2 was applied where {ALLOCATIONS}/1 is next")


@pytest.mark.parametrize(("stream", "by"), [(ALLOCATIONS, -1), (COMMANDS, -1), (COMMANDS, 1)])
def test_a_control_applied_at_the_wrong_event_is_reported(run: Recorded, stream: str, by: int) -> None:
    run.change(f"UPDATE controls SET effective_seq = effective_seq + {by} WHERE run_id = :r AND stream = '{stream}'")
    assert named(run.contradictions(), f"{stream}/1 was applied after event")


def test_a_control_without_its_message_is_reported(run: Recorded) -> None:
    run.change(f"DELETE FROM messages WHERE run_id = :r AND stream = '{ALLOCATIONS}' AND number = 2")
    found = run.differences()
    assert named(found, f"{ALLOCATIONS}/2 was applied, but never published")
    assert named(found, f"{ALLOCATIONS}/2 was applied, but does not follow from the events")


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM messages WHERE run_id = :r AND stream = 'applied_commands' AND number = 4",
        "UPDATE messages SET payload = replace(payload, 'halt', 'flatten') WHERE run_id = :r"
        " AND stream = 'applied_commands'",
    ],
    ids=["missing", "another"],
)
def test_commands_that_were_applied_otherwise_than_given_are_reported(run: Recorded, change: str) -> None:
    run.change(change)
    assert named(run.contradictions(), f"applied commands {APPLIED_COMMANDS}/")


def test_a_gap_in_the_numbers_of_controls_is_reported(run: Recorded) -> None:
    run.change("DELETE FROM controls WHERE run_id = :r AND number = 3")
    assert named(run.contradictions(), "controls: 2 is followed by 4")


def test_a_command_after_the_last_event_need_not_be_consumed(run: Recorded) -> None:
    query = sa.text("SELECT seq FROM feed_cursors WHERE run_id = :r")
    last = run.connection.scalar(query, {"r": run.run_id})
    payload = f'{{"seq":{last},"command_id":-1,"name":"halt","spec_id":"","reason":""}}'
    message = "INSERT INTO messages (run_id, stream, number, seq, payload)"
    run.change(f"{message} VALUES (:r, 'commands', 6, {last}, '{payload.replace(':', chr(92) + ':')}')")
    columns = "INSERT INTO commands (command_id, run_id, name, spec_id, reason, seq)"
    run.change(f"{columns} VALUES (-1, :r, 'halt', '', '', {last})")
    assert run.contradictions() == []


FIRST_ALLOCATION = "(seq, spec_id) = (SELECT seq, spec_id FROM allocations WHERE run_id = :r ORDER BY 1, 2 LIMIT 1)"
CONTRADICTIONS = [
    (f"UPDATE allocations SET allocation_usd = 9 WHERE run_id = :r AND {FIRST_ALLOCATION}", "allocation_usd is rec"),
    (f"UPDATE allocations SET effective_seq = NULL WHERE run_id = :r AND {FIRST_ALLOCATION}", "recorded as None"),
    (f"UPDATE allocations SET spec_id = 'x' WHERE run_id = :r AND {FIRST_ALLOCATION}", "is not expected"),
    (f"DELETE FROM allocations WHERE run_id = :r AND {FIRST_ALLOCATION}", "but was not recorded"),
    ("DELETE FROM lifecycle WHERE run_id = :r AND from_mode = ''", "but was in ''"),
    ("DELETE FROM lifecycle WHERE run_id = :r AND to_mode = 'paper'", "leaves 'paper', but was in 'simulating'"),
    ("UPDATE lifecycle SET from_mode = 'live' WHERE run_id = :r AND to_mode = 'paper'", "leaves 'live'"),
    ("DELETE FROM strategies WHERE run_id = :r AND mode = 'simulating'", "strategies"),
    ("UPDATE strategies SET mode = 'retired' WHERE run_id = :r", "mode is recorded as 'retired'"),
    ("UPDATE strategies SET allocation_usd = 3 WHERE run_id = :r", "allocation_usd is recorded as 3.0"),
    ("UPDATE strategies SET since_seq = 1 WHERE run_id = :r", "since_seq is recorded as 1"),
    ("UPDATE strategies SET genome = '{}' WHERE run_id = :r", "genome is recorded as {}"),
    ("UPDATE commands SET name = 'demote' WHERE run_id = :r AND name = 'promote'", "name is recorded as 'demote'"),
    ("UPDATE commands SET spec_id = 'x' WHERE run_id = :r AND name = 'promote'", "spec_id is recorded as 'x'"),
    ("UPDATE commands SET seq = seq + 1 WHERE run_id = :r", "commands"),
    ("UPDATE commands SET seq = NULL WHERE run_id = :r AND name = 'halt'", "but was not recorded"),
    ("DELETE FROM messages WHERE run_id = :r AND stream = 'commands' AND number = 4", "is not expected"),
    (
        "UPDATE messages SET seq = seq + 1 WHERE run_id = :r AND stream = 'fills' AND number = 1",
        "messages fills/1: its row has seq",
    ),
    (
        "UPDATE messages SET seq = 0 WHERE run_id = :r AND stream = 'strategy_specs'",
        "messages strategy_specs/1: its row has seq",
    ),
    ("DELETE FROM messages WHERE run_id = :r AND stream = 'strategy_specs' AND number = 2", "messages strategy_specs"),
    ("DELETE FROM messages WHERE run_id = :r AND stream = 'strategy_specs' AND number = 1", "begin with 2"),
    ("UPDATE stream_offsets SET number = number - 1 WHERE run_id = :r AND stream = 'fills'", "of fills"),
    (
        "UPDATE stream_offsets SET number = number + 9 WHERE run_id = :r AND stream = 'strategy_specs'",
        "portfolio/strategy_specs",
    ),
    (
        "UPDATE stream_offsets SET number = number - 1 WHERE run_id = :r AND actor = 'executor' AND stream = 'events'",
        "the executor has consumed",
    ),
    ("UPDATE feed_cursors SET seq = seq - 1 WHERE run_id = :r", "were published"),
    ("UPDATE feed_cursors SET seq = seq + 1 WHERE run_id = :r", "were published"),
    ("UPDATE orders SET status = 'intended' WHERE run_id = :r", "its order is intended"),
]


@pytest.mark.parametrize(("change", "expected"), CONTRADICTIONS, ids=lambda text: text[:60])
def test_inconsistent_records_are_reported(run: Recorded, change: str, expected: str) -> None:
    run.change(change)
    assert named(run.contradictions(), expected)


STOP = "reason LIKE 'portfolio_%'"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE orders SET budget_lamports = budget_lamports + 1 WHERE run_id = :r", "budget_lamports is recorded"),
        ("UPDATE trades SET sol_lamports = sol_lamports + 1 WHERE run_id = :r", "sol_lamports is recorded"),
        ("DELETE FROM trades WHERE run_id = :r AND side = 'sell'", "trades"),
        ("UPDATE positions SET realised_lamports = 1 WHERE run_id = :r", "realised_lamports is recorded"),
        ("UPDATE equity SET equity_lamports = equity_lamports + 1 WHERE run_id = :r", "equity_lamports is recorded"),
        ("UPDATE breaker SET peak_lamports = peak_lamports + 1 WHERE run_id = :r", "peak_lamports is recorded"),
        ("UPDATE refusals SET reason = 'halted' WHERE run_id = :r", "reason is recorded as 'halted'"),
        ("DELETE FROM refusals WHERE run_id = :r", "is expected, but was not recorded"),
        (f"DELETE FROM orders WHERE run_id = :r AND {STOP}", "is expected, but was not recorded"),
        (f"UPDATE orders SET reason = 'signal' WHERE run_id = :r AND {STOP}", "reason is recorded as 'signal'"),
        (f"UPDATE orders SET decided_seq = decided_seq + 1 WHERE run_id = :r AND {STOP}", "decided_seq is recorded"),
        (f"DELETE FROM trades WHERE run_id = :r AND {STOP}", "trades"),
        (
            "DELETE FROM messages WHERE run_id = :r AND (stream, number) = ('exit_orders', 1)",
            "messages exit_orders/1 is expected, but was not recorded",
        ),
        (
            "UPDATE messages SET payload = replace(payload, 'portfolio_', 'p_')"
            " WHERE run_id = :r AND stream = 'exit_orders'",
            "messages exit_orders/1: its content differs",
        ),
    ],
    ids=lambda text: text[:60],
)
def test_records_that_do_not_follow_from_the_events_are_reported(run: Recorded, change: str, expected: str) -> None:
    run.change(change)
    assert named(run.differences(), expected)


def test_an_event_log_of_another_length_is_reported(run: Recorded, tmp_path: Path) -> None:
    whole = run.event_log
    run.event_log = tmp_path / "events.bin"
    shutil.copy(whole, run.event_log)
    with run.event_log.open("ab") as file:
        file.write(bytes(100))
    assert named(run.differences(), "were published")
    with run.event_log.open("ab") as file:
        file.truncate(whole.stat().st_size - 1)
    found = run.differences()
    assert named(found, "were published")
    assert named(found, "cannot be rederived to its end")


def test_a_flipped_bit_in_the_event_log_is_reported(run: Recorded, tmp_path: Path) -> None:
    content = run.event_log.read_bytes()
    run.event_log = tmp_path / "events.bin"
    run.event_log.write_bytes(flipped(content, 4 * len(content)))
    assert named(run.differences(), "is damaged: the checksum or the seq does not match")


def test_two_runs_of_one_tape_have_equal_decisions(runs: tuple[SmallRuns, int, int], run: Recorded) -> None:
    _, first, second = runs
    records = [read_run(run.connection, run_id).records for run_id in (first, second)]
    decided = [read_decisions(run.connection, run_id) for run_id in (first, second)]
    assert list(compare(*records)) == []
    assert list(compare_decisions(*decided)) == []


def test_the_run_with_faults_recovers_and_is_consistent(runs: tuple[SmallRuns, int, int], database: sa.Engine) -> None:
    small, _, faulty = runs
    assert small.failures > len(faults_of(redis.Redis())) / 2  # all readers had consumed some of the lost entries
    with database.connect() as connection:
        assert Recorded(faulty, small.event_log(faulty), connection).differences() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE lifecycle SET reason = 'x' WHERE run_id = :r", "lifecycle"),
        ("UPDATE strategies SET since_seq = 1 WHERE run_id = :r", "strategies"),
        ("UPDATE allocations SET effective_seq = 1 WHERE run_id = :r", "allocations"),
        ("UPDATE generations SET best_fitness = 1 WHERE run_id = :r", "generations"),
        ("DELETE FROM evaluations WHERE run_id = :r AND generation = 1", "evaluations"),
        ("UPDATE messages SET payload = '{}' WHERE run_id = :r AND stream = 'strategy_specs'", "messages"),
    ],
)
def test_different_decisions_of_two_runs_are_reported(
    runs: tuple[SmallRuns, int, int], run: Recorded, change: str, expected: str
) -> None:
    run.change(change)
    found = list(compare_decisions(read_decisions(run.connection, run.run_id), read_decisions(run.connection, runs[2])))
    assert found
    assert all(line.startswith(expected) for line in found)


def test_wall_time_is_not_compared(runs: tuple[SmallRuns, int, int], run: Recorded) -> None:
    run.change("UPDATE generations SET seconds = seconds + 1 WHERE run_id = :r")
    found = compare_decisions(read_decisions(run.connection, run.run_id), read_decisions(run.connection, runs[2]))
    assert list(found) == []
