"""The process that runs Ray: restarted when it ends or Ray is lost, and never left behind."""

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

BEGIN = "import os, sys, time\nassert sys.stdin.readline() == '1\\n'\n"
SEND = BEGIN + "def send(line): os.write(int(sys.argv[3]), line.encode() + b'\\n')\n"
READY = SEND + 'send(\'{"ready": "http://here"}\')\n'
UNTIL_STDIN_CLOSES = "sys.stdin.read()\n"
# The first process of a test fails, the following ones do not.
FIRST = "first = not os.path.exists('{0}')\nopen('{0}', 'w').close()\n"

Make = Callable[..., RayProcess]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Return a function that makes a RayProcess whose process runs a script."""
    made: list[RayProcess] = []

    def make(script: str, address: str | None = None) -> RayProcess:
        monkeypatch.setattr(ray_process, "_PROGRAM", (sys.executable, "-c", script))
        monkeypatch.setattr(ray_process, "_MAX_BACKOFF_S", 0.01)
        made.append(RayProcess(tmp_path, address, open_log(tmp_path / "logs", "up", "INFO")))
        made[-1].begin(1)
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
        ('send(\'{"lost": "gcs_server has ended"}\'); time.sleep(99)', "gcs_server has ended"),
        ("os.kill(os.getpid(), 9)", "its process ended with -9"),
        ("time.sleep(99)", "it has not reported for 0 s"),
    ],
)
def test_a_failed_process_is_restarted(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, reason: str
) -> None:
    monkeypatch.setattr(ray_process, "_MAX_SILENCE_S", 0.3)
    healthy = "import select\nwhile not select.select([0], [], [], 0.05)[0]: send('{}')\n"
    ray = make(READY + FIRST.format(tmp_path / "mark") + f"if first:\n  {end}\n{healthy}")
    while not ray.messages:
        ray.watch(0.05)
    assert ray.condition == f"Ray died: {reason}. It is being restarted (attempt 1)" == read_condition(tmp_path)
    until_ready(ray)
    died, restarted = ray.messages
    assert reason in died and "trading is paused" in died
    assert restarted.startswith("Ray has restarted after ")
    assert (ray.condition, read_condition(tmp_path), ray.dashboard) == ("", "", "http://here")


def test_a_process_that_never_restarts_ends_the_command(make: Make) -> None:
    ray = make(READY + "os._exit(3)")
    with pytest.raises(MemeSnipeError, match="Ray has not restarted after 10 attempts: its process ended with 3; see "):
        while True:
            ray.watch(0.05)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (SEND + 'send(\'{"refused": "no room"}\'); time.sleep(99)', "no room"),
        (SEND + 'send(\'{"doing": "the dashboard"}\'); time.sleep(99)', "the dashboard was not ready within 0 s"),
    ],
)
def test_a_process_that_never_starts_ends_the_command_with_its_reason(
    make: Make, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    monkeypatch.setattr(ray_process, "_START_S", 0.3)
    with pytest.raises(MemeSnipeError, match=f"Ray has not started after 6 attempts: {reason}; see "):
        until_ready(make(script))


def test_an_external_cluster_that_refuses_is_tried_once(make: Make) -> None:
    script = SEND + 'send(\'{"refused": "no Ray cluster answers"}\'); sys.stdin.read()'
    with pytest.raises(MemeSnipeError, match=r"^no Ray cluster answers$"):
        until_ready(make(script, "10.0.0.1:6379"))


def test_the_process_is_stopped_and_its_leftovers_are_killed(make: Make, tmp_path: Path) -> None:
    child = tmp_path / "child"
    leave = f"import subprocess\np = subprocess.Popen(['sleep', '99'])\nopen('{child}', 'w').write(str(p.pid))\n"
    stopped = f"open('{tmp_path / 'stopped'}', 'w').close()\n"
    ray = make(READY.replace("send('{", leave + "send('{", 1) + UNTIL_STDIN_CLOSES + stopped)
    until_ready(ray)
    assert runs(int(child.read_text()))
    ray.stop()
    assert (tmp_path / "stopped").exists()
    assert not runs(int(child.read_text()))


def test_leftovers_without_the_mark_are_recognised_by_their_session() -> None:
    """Ray's agents overwrite their environment with their title, and survive the other processes of their Ray."""
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


def test_a_foreign_session_is_left_alone() -> None:
    with (
        subprocess.Popen(["sleep", "99"], start_new_session=True) as unrelated,
        subprocess.Popen(["sleep", "99"], env=os.environ | {MARK: "mine"}) as mine,  # in the session of this test
    ):
        end_leftovers("mine", unrelated.pid)
        assert (runs(unrelated.pid), runs(mine.pid)) == (True, False)
        unrelated.kill()


def test_leftovers_of_other_installations_are_left_alone() -> None:
    with (
        subprocess.Popen(["sleep", "99"], env=os.environ | {MARK: "mine"}) as mine,
        subprocess.Popen(["sleep", "99"], env=os.environ | {MARK: "other"}) as other,
    ):
        end_leftovers("mine")
        assert (runs(mine.pid), runs(other.pid)) == (False, True)
        other.kill()


def test_an_end_from_elsewhere_is_no_failure_and_nothing_is_restarted(make: Make) -> None:
    ray = make(READY + 'send(\'{"ended": "someone ended it"}\')\n')
    while not ray.ended:
        ray.watch(0.05)
    pid = ray._process.pid if ray._process else 0
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    ray.watch(0.05)
    assert (ray.messages, ray.condition) == (["The system stops: someone ended it."], "")


def test_a_stop_is_announced_which_a_killed_command_cannot_do(make: Make, tmp_path: Path) -> None:
    read = tmp_path / "read"
    ray = make(READY + f"text = sys.stdin.read()\nopen({str(read)!r}, 'w').write(text)\n")
    until_ready(ray)
    ray.stop()
    assert read.read_text() == "stop\n"
