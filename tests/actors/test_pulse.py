"""What an actor is in the middle of can be seen while it is, and after its process has gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors import pulse as module
from actors.context import Context
from actors.pulse import (
    BREEDING,
    COMMITTING,
    PUBLISHING,
    RECOVERING,
    WAITING,
    WORKING,
    Pulse,
    pulse_file,
    read_pulse,
)  # fmt: skip
from memesnipe.settings import Settings, write_resolved


@pytest.fixture
def pulse(tmp_path: Path) -> Pulse:
    made = Pulse()
    made.open(pulse_file(tmp_path, 1, "executor"))
    return made


def test_each_thing_it_does_is_told(pulse: Pulse, tmp_path: Path) -> None:
    path = pulse_file(tmp_path, 1, "executor")
    pulse.begin(WAITING)
    assert read_pulse(path) == (os.getpid(), WAITING)
    pulse.at(WORKING)
    with pulse.breeding():
        assert read_pulse(path) == (os.getpid(), BREEDING)
    assert read_pulse(path) == (os.getpid(), WORKING)


def test_it_is_still_told_after_a_sudden_death(tmp_path: Path) -> None:
    path = pulse_file(tmp_path, 1, "executor")
    dies = "import os, sys, pathlib; from actors.pulse import Pulse; p = Pulse(); p.open(pathlib.Path(sys.argv[1]));"
    dies += "p.begin('recovering'); p.at('working'); os.kill(os.getpid(), 9)"
    process = subprocess.Popen([sys.executable, "-c", dies, str(path)])
    assert process.wait() == -9
    assert read_pulse(path) == (process.pid, WORKING)


def test_without_a_file_it_goes_on(tmp_path: Path) -> None:
    in_the_way = tmp_path / "runs"
    in_the_way.write_text("no folder")
    pulse = Pulse()
    pulse.open(pulse_file(tmp_path, 1, "executor"))
    pulse.begin(RECOVERING)
    assert read_pulse(pulse_file(tmp_path, 1, "executor")) == (0, "")


def test_a_long_step_is_stalled_unless_it_breeds(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    pulse.begin(WAITING)
    now += 2.9
    assert pulse.said() == {}
    pulse.at(WORKING)
    now += 9.1
    assert pulse.said() == {"state": "stalled", "detail": "the current step takes 12 s; trading waits"}
    with pulse.breeding():
        assert pulse.said() == {"state": "breeding", "detail": "for 12 s"}
    pulse.begin(WAITING)
    assert pulse.said() == {}


def test_who_waits_for_the_same_thing_for_too_long_is_stalled(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    for _ in range(3):
        pulse.begin(WAITING)
        pulse.awaits("event 7")
        assert pulse.said() == {}
        now += 4.0
    pulse.begin(WAITING)
    assert pulse.said() == {"state": "stalled", "detail": "waits for event 7, since 12 s"}
    pulse.awaits("event 8")
    assert pulse.said() == {}, "it has come further"
    now += 100.0
    pulse.begin(WAITING)
    pulse.awaits("")
    assert pulse.said() == {}, "who has nothing to do waits for nothing"


def test_breeding_without_results_is_stalled(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    pulse.begin(WORKING)
    with pulse.breeding():
        now += 119.0
        assert pulse.said() == {"state": "breeding", "detail": "for 119 s"}
        pulse.bred(4)
        now += 119.0
        assert pulse.said()["state"] == "breeding"
        now += 2.0
        assert pulse.said() == {"state": "stalled", "detail": "no backtest has finished for 121 s"}


def test_commits_show_whoever_commits_and_reads_do_not(tmp_path: Path, database_url: str) -> None:
    write_resolved(Settings(_env_file=None, database_url=database_url), tmp_path / "settings.json")
    seen: list[str] = []

    class Listening(Pulse):
        def at(self, doing: str) -> None:
            super().at(doing)
            seen.append(doing)

    context = Context(tmp_path, 1, Listening())
    with context.database.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    assert seen == []
    with context.database.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
        assert seen == []
    assert seen == [COMMITTING, PUBLISHING]
    context.close()
