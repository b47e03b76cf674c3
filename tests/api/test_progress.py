"""A run without progress is not healthy, even if every part reports that it is."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from memesnipe.api.progress import NO_OUTCOME_AFTER_S, QUIET_AFTER_S, STALLED_AFTER_S, Progress
from memesnipe.storage import schema, schema_control
from memesnipe.storage.run_progress import RunProgress, read_run_progress
from memesnipe.storage.runs import ARENA_SHARDS

HEALTHY = RunProgress(1, False, False, published=1_000, consumed=400, rejected=0, command="", command_age_s=0.0)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def states(progress: Progress, now: RunProgress) -> dict[str, str]:
    return {name: part["state"] for name, part in progress.parts(now).items()}


def test_no_run_has_no_parts(clock: Clock) -> None:
    assert Progress(clock).parts(None) == {}


def test_unconsumed_events_are_a_stall_until_one_is_consumed(clock: Clock) -> None:
    progress = Progress(clock)
    assert states(progress, HEALTHY) == {"progress": "running", "events": "running", "commands": "running"}
    clock.now += STALLED_AFTER_S + 1
    assert progress.parts(HEALTHY)["progress"] == {
        "state": "stalled",
        "detail": "400 of 1,000 events consumed, none for 16 s",
    }
    assert states(progress, replace(HEALTHY, consumed=401))["progress"] == "running"


def test_a_feed_without_events_is_quiet_unless_it_has_ended(clock: Clock) -> None:
    progress, idle = Progress(clock), replace(HEALTHY, consumed=1_000)
    progress.parts(idle)
    clock.now += QUIET_AFTER_S - 1
    assert states(progress, idle)["progress"] == "running"
    clock.now += 2
    assert states(progress, idle)["progress"] == "quiet"
    assert states(progress, replace(idle, ended=True))["progress"] == "running"
    assert states(progress, replace(idle, finished=True))["progress"] == "finished"


def test_another_run_resets_the_clock(clock: Clock) -> None:
    progress = Progress(clock)
    progress.parts(HEALTHY)
    clock.now += 1_000
    assert states(progress, replace(HEALTHY, run_id=2))["progress"] == "running"


@pytest.mark.parametrize(
    ("rejected", "state", "detail"),
    [(0, "running", ""), (19, "running", "19 of 1,019 rejected"), (20, "rejected", "20 of 1,020 rejected")],
)
def test_rejected_events_are_counted_and_many_degrade(rejected: int, state: str, detail: str) -> None:
    assert Progress().parts(replace(HEALTHY, rejected=rejected))["events"] == {"state": state, "detail": detail}


def test_a_command_without_an_outcome_is_reported() -> None:
    pending = replace(HEALTHY, command="halt", command_age_s=NO_OUTCOME_AFTER_S + 1)
    assert Progress().parts(pending)["commands"] == {
        "state": "waiting",
        "detail": "halt was requested 11 s ago and has no outcome",
    }
    assert states(Progress(), replace(pending, command_age_s=1.0))["commands"] == "running"
    assert states(Progress(), replace(pending, finished=True))["commands"] == "running"


def test_the_figures_are_those_of_the_newest_run(database, new_run, insert) -> None:
    def read() -> RunProgress | None:
        with database.connect() as connection:
            return read_run_progress(connection)

    assert read() == RunProgress(new_run, False, False, 0, 0, 0, "", 0.0)
    insert(schema.FeedCursorRow, seq=10, rejected=3, ended=True)
    insert(schema.StreamOffsetRow, actor="executor", stream="events", consumed=7)
    insert(schema.StreamOffsetRow, actor="executor", stream="allocations_channel", consumed=99)
    ago = sa.func.now() - timedelta(seconds=30)
    insert(schema_control.CommandRow, command_id=1000001, name="promote", spec_id="a", outcome="done", requested_at=ago)
    insert(schema_control.CommandRow, command_id=1000002, name="halt", spec_id="", requested_at=ago)
    insert(schema_control.CommandRow, command_id=1000003, name="risk_reset", spec_id="", seq=5)
    found = read()
    assert found is not None
    assert replace(found, command_age_s=0.0) == RunProgress(new_run, False, True, 10, 7, 3, "halt", 0.0)
    assert 30 <= found.command_age_s < 90


def test_the_arenas_of_the_run_are_counted(database, new_run) -> None:
    run = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
    with database.begin() as connection:
        connection.execute(run.values(settings={ARENA_SHARDS: 3}))
        assert read_run_progress(connection) == RunProgress(new_run, False, False, 0, 0, 0, "", 0.0, 3)
