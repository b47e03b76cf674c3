"""The activity of an actor is readable while it runs, and after its process has ended."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memesnipe.config.home import Home
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.roles import activity as module
from memesnipe.roles.activity import (
    BREEDING,
    COMMITTING,
    PUBLISHING,
    RECOVERING,
    WAITING,
    WORKING,
    ActivityTracker,
    read_activity,
)  # fmt: skip
from memesnipe.roles.context import Context


@pytest.fixture
def activity(tmp_path: Path) -> ActivityTracker:
    made = ActivityTracker()
    made.open(Home(tmp_path).run(1).activity("executor"))
    return made


def test_every_activity_is_in_the_file(activity: ActivityTracker, tmp_path: Path) -> None:
    path = Home(tmp_path).run(1).activity("executor")
    activity.begin(WAITING)
    assert read_activity(path) == (os.getpid(), WAITING)
    activity.set(WORKING)
    with activity.breeding():
        assert read_activity(path) == (os.getpid(), BREEDING)
    assert read_activity(path) == (os.getpid(), WORKING)


def test_the_file_survives_a_kill(tmp_path: Path) -> None:
    path = Home(tmp_path).run(1).activity("executor")
    dies = (
        "import os, sys, pathlib; from memesnipe.roles.activity import ActivityTracker; "
        "p = ActivityTracker(); p.open(pathlib.Path(sys.argv[1]));"
    )
    dies += "p.begin('recovering'); p.set('working'); os.kill(os.getpid(), 9)"
    process = subprocess.Popen([sys.executable, "-c", dies, str(path)])
    assert process.wait() == -9
    assert read_activity(path) == (process.pid, WORKING)


def test_an_unwritable_file_is_ignored(tmp_path: Path) -> None:
    in_the_way = tmp_path / "runs"
    in_the_way.write_text("no folder")
    activity = ActivityTracker()
    activity.open(Home(tmp_path).run(1).activity("executor"))
    activity.begin(RECOVERING)
    assert read_activity(Home(tmp_path).run(1).activity("executor")) == (0, "")


def test_a_long_step_is_stalled_but_breeding_is_not(activity: ActivityTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    activity.begin(WAITING)
    now += 2.9
    assert activity.slow_state() is None
    activity.set(WORKING)
    now += 9.1
    assert activity.slow_state() == ("stalled", "the current step has taken 12 s, and what follows waits for it")
    with activity.breeding():
        assert activity.slow_state() == ("breeding", "for 12 s")
    activity.begin(WAITING)
    assert activity.slow_state() is None


def test_a_long_wait_for_the_same_thing_is_stalled(activity: ActivityTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    for _ in range(3):
        activity.begin(WAITING)
        activity.set_waiting_for("event 7")
        assert activity.slow_state() is None
        now += 4.0
    activity.begin(WAITING)
    assert activity.slow_state() == ("stalled", "has waited 12 s for event 7")
    activity.set_waiting_for("event 8")
    assert activity.slow_state() is None, "it has progressed"
    now += 100.0
    activity.begin(WAITING)
    activity.set_waiting_for("")
    assert activity.slow_state() is None, "an idle actor waits for nothing"


def test_breeding_without_results_is_stalled(activity: ActivityTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    activity.begin(WORKING)
    with activity.breeding():
        now += 119.0
        assert activity.slow_state() == ("breeding", "for 119 s")
        activity.record_backtests(4)
        now += 119.0
        assert activity.slow_state()[0] == "breeding"
        now += 2.0
        assert activity.slow_state() == ("stalled", "no backtest has finished for 121 s")


def test_commits_set_the_activity_and_reads_do_not(tmp_path: Path, database_url: str) -> None:
    write_resolved(settings_from({"database_url": database_url}, env_file=None), tmp_path / "settings.json")
    seen: list[str] = []

    class Listening(ActivityTracker):
        def set(self, activity: str) -> None:
            super().set(activity)
            seen.append(activity)

    context = Context(tmp_path, 1, Listening())
    with context.database.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    assert seen == []
    with context.database.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
        assert seen == []
    assert seen == [COMMITTING, PUBLISHING]
    context.close()
