"""The process that holds Ray: started again when it ends or Ray is lost, and never left behind."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from memesnipe.config.home import read_condition
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime import ray_process
from memesnipe.runtime.ray_process import RayProcess
from memesnipe.servers.leftovers import MARK, end_leftovers, is_of_ray
from memesnipe.telemetry.logs import open_log

SAY = "import os, sys, time\ndef say(line): os.write(int(sys.argv[3]), line.encode() + b'\\n')\n"
READY = SAY + 'say(\'{"ready": "http://here"}\')\n'
UNTIL_TOLD = "sys.stdin.read()\n"
# The first of them ends as it is told to here, those after it are well.
FIRST = "first = not os.path.exists('{0}')\nopen('{0}', 'w').close()\n"

Make = Callable[..., RayProcess]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes one whose process runs a script."""
    made: list[RayProcess] = []

    def make(script: str, is_local: bool = True) -> RayProcess:
        monkeypatch.setattr(ray_process, "_PROGRAM", (sys.executable, "-c", script))
        monkeypatch.setattr(ray_process, "_MAX_BACKOFF_S", 0.01)
        made.append(RayProcess(tmp_path, 1, is_local, open_log(tmp_path / "logs", "up", "INFO")))
        return made[-1]

    yield make
    for ray in made:
        ray.stop()


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def until_ready(ray: RayProcess) -> None:
    while not ray.watch(0.05):
        pass


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ('say(\'{"lost": "gcs_server has ended"}\'); time.sleep(99)', "gcs_server has ended"),
        ("os.kill(os.getpid(), 9)", "its process ended with -9"),
        ("time.sleep(99)", "it has said nothing for 0 s"),
    ],
)
def test_whatever_happens_to_it_another_is_started(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, reason: str
) -> None:
    monkeypatch.setattr(ray_process, "_SILENT_S", 0.3)
    well = "import select\nwhile not select.select([0], [], [], 0.05)[0]: say('{}')\n"
    ray = make(READY + FIRST.format(tmp_path / "mark") + f"if first:\n  {end}\n{well}")
    while not ray.news:
        ray.watch(0.05)
    assert ray.condition == f"Ray died: {reason}. It is being started again (attempt 1)" == read_condition(tmp_path)
    until_ready(ray)
    died, back = ray.news
    assert reason in died and "trading waits" in died
    assert back.startswith("Ray is back after ")
    assert (ray.condition, read_condition(tmp_path), ray.dashboard) == ("", "", "http://here")


def test_one_that_never_comes_back_ends_the_command(make: Make) -> None:
    ray = make(READY + "os._exit(3)")
    with pytest.raises(
        MemeSnipeError, match="Ray does not come back after 10 attempts: its process ended with 3; see "
    ):
        while True:
            ray.watch(0.05)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (SAY + 'say(\'{"refused": "no room"}\'); time.sleep(99)', "no room"),
        (SAY + 'say(\'{"doing": "the dashboard"}\'); time.sleep(99)', "the dashboard was not ready within 0 s"),
    ],
)
def test_one_that_does_not_start_ends_the_command_with_its_reason(
    make: Make, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    monkeypatch.setattr(ray_process, "_START_S", 0.3)
    with pytest.raises(MemeSnipeError, match=f"Ray does not start after 6 attempts: {reason}; see "):
        until_ready(make(script))


def test_a_cluster_of_others_that_refuses_us_is_asked_once(make: Make) -> None:
    script = SAY + 'say(\'{"refused": "no Ray cluster answers"}\'); sys.stdin.read()'
    with pytest.raises(MemeSnipeError, match=r"^no Ray cluster answers$"):
        until_ready(make(script, is_local=False))


def test_it_is_asked_to_stop_and_what_it_leaves_behind_is_killed(make: Make, tmp_path: Path) -> None:
    child = tmp_path / "child"
    leave = f"import subprocess\np = subprocess.Popen(['sleep', '99'])\nopen('{child}', 'w').write(str(p.pid))\n"
    stopped = f"open('{tmp_path / 'stopped'}', 'w').close()\n"
    ray = make(READY.replace("say('{", leave + "say('{", 1) + UNTIL_TOLD + stopped)
    until_ready(ray)
    assert runs(int(child.read_text()))
    ray.stop()
    assert (tmp_path / "stopped").exists()
    assert not runs(int(child.read_text()))


def test_leftovers_without_the_mark_are_known_by_their_session() -> None:
    """Ray's agents write their titles over it, and live on when all others of their Ray have ended."""
    script = f"import os, subprocess, sys\nos.environ.pop('{MARK}')\n"
    script += "print(subprocess.Popen(['sleep', '99']).pid, flush=True)\nsys.stdin.read()"
    for holder_ends_first in (False, True):
        with subprocess.Popen(
            [sys.executable, "-c", script], env=os.environ | {MARK: "mine"}, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as holder:  # fmt: skip
            assert holder.stdout is not None
            agent = int(holder.stdout.readline())
            assert is_of_ray(agent, "mine")
            assert not is_of_ray(agent, "other")
            if holder_ends_first:
                holder.kill()
                holder.wait()
            end_leftovers("mine", holder.pid if holder_ends_first else 0)
            assert not runs(agent)


def test_the_session_of_somebody_else_is_left_alone() -> None:
    with (
        subprocess.Popen(["sleep", "99"], start_new_session=True) as stranger,
        subprocess.Popen(["sleep", "99"], env=os.environ | {MARK: "mine"}) as mine,  # in the session of this test
    ):
        end_leftovers("mine", stranger.pid)
        assert (runs(stranger.pid), runs(mine.pid)) == (True, False)
        stranger.kill()


def test_leftovers_of_other_installations_are_left_alone() -> None:
    with (
        subprocess.Popen(["sleep", "99"], env=os.environ | {MARK: "mine"}) as mine,
        subprocess.Popen(["sleep", "99"], env=os.environ | {MARK: "other"}) as other,
    ):
        end_leftovers("mine")
        assert (runs(mine.pid), runs(other.pid)) == (False, True)
        other.kill()
