"""The kill file halts the run, whoever made it and whatever the database recorded."""

import math
from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.halt_file import halt
from memesnipe.protocol.commands import CommandName
from memesnipe.roles.halt_watch import HaltWatch
from memesnipe.storage.actions import actions
from memesnipe.storage.command_submission import submit
from memesnipe.storage.commands import enqueue
from memesnipe.storage.rows import Page
from memesnipe.storage.schema_control import CommandRow
from tests.roles.conftest import Stage
from tests.roles.test_event_path import trades


class Clock:
    """A clock that a test advances."""

    now_s = 0.0

    def monotonic_s(self) -> float:
        return self.now_s

    def now_ns(self) -> int:
        return int(self.now_s * 1e9)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Watched:
    """A run and the watch of its kill file."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.clock = stage, Clock()
        context = stage.context()
        context.clock = self.clock  # type: ignore[assignment]
        self.file: Path = context.halt_file
        self.context = context
        self.watch = HaltWatch(context, context.log("market_data"))

    def look(self, after_s: float = 0.6) -> None:
        """Look at the file, and again a while later."""
        self.watch.check(self.stage.database)
        self.clock.now_s += after_s
        self.watch.check(self.stage.database)

    def record(self, name: str) -> None:
        with self.stage.database.begin() as connection:
            enqueue(connection, self.stage.run_id, CommandName(name), reason="by hand")

    @property
    def commands(self) -> list[tuple[str, str]]:
        query = sa.select(CommandRow.name, CommandRow.reason).where(CommandRow.run_id == self.stage.run_id)
        with self.stage.database.connect() as connection:
            return [(row.name, row.reason) for row in connection.execute(query.order_by(CommandRow.command_id))]


@pytest.fixture
def watched(stage: Stage) -> Watched:
    return Watched(stage)


BY_FILE = ("halt", "the file halt exists")


def test_without_a_file_nothing_is_recorded(watched: Watched) -> None:
    watched.look()
    assert watched.commands == []


def test_a_file_halts_within_a_second_and_once(watched: Watched) -> None:
    halt(watched.file)
    for _ in range(3):
        watched.look()
    assert watched.clock.now_s < 2
    assert watched.commands == [BY_FILE]


def test_who_makes_the_file_and_records_the_command_is_not_doubled(watched: Watched) -> None:
    halt(watched.file)
    watched.look(after_s=0.1)
    watched.record("halt")
    watched.look()
    assert watched.commands == [("halt", "by hand")]


def test_a_halt_whose_file_was_faster_is_one_command_and_a_second_halt_is_another(watched: Watched) -> None:
    def submitted() -> int:
        database = watched.stage.database
        return submit(database, CommandName.HALT, reason="by hand", deadline=math.inf, who="me").command_id

    halt(watched.file)
    watched.look()
    first = submitted()
    assert watched.commands == [BY_FILE]
    second = submitted()
    assert watched.commands == [BY_FILE, ("halt", "by hand")]
    with watched.stage.database.connect() as connection:
        found = actions(connection, watched.stage.run_id, Page(9)).rows
    assert [(each["command_id"], each["reason"]) for each in found] == [(second, "by hand"), (first, "by hand")]


def test_a_halt_after_a_reset_is_not_that_of_an_earlier_file(watched: Watched) -> None:
    halt(watched.file)
    watched.look()
    watched.file.unlink()
    watched.record("risk_reset")
    submit(watched.stage.database, CommandName.HALT, reason="by hand", deadline=math.inf)
    assert watched.commands == [BY_FILE, ("risk_reset", "by hand"), ("halt", "by hand")]


@pytest.mark.parametrize("before", ["halt", "flatten"])
def test_a_run_that_is_halted_is_not_halted_again_by_its_next_process(watched: Watched, before: str) -> None:
    watched.record(before)
    halt(watched.file)
    watched.look()
    assert watched.commands == [(before, "by hand")]


def test_a_file_after_a_reset_halts_again(watched: Watched) -> None:
    halt(watched.file)
    watched.look()
    watched.file.unlink()
    watched.record("risk_reset")
    watched.look()
    halt(watched.file)
    watched.look()
    assert watched.commands == [BY_FILE, ("risk_reset", "by hand"), BY_FILE]


def test_market_data_halts_the_run_before_its_first_event(stage: Stage) -> None:
    context = stage.context()
    halt(context.halt_file)
    market = stage.market(trades(1))
    market.open()
    while not market.seq:
        market.step()
    query = sa.select(CommandRow.seq).where(CommandRow.run_id == stage.run_id)
    with stage.database.connect() as connection:
        assert connection.scalars(query).all() == [0]
    context.close()
