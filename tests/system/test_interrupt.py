"""Ctrl-C ends a `memesnipe up` that has not started yet: with one line, code 130, and nothing left running."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from memesnipe.servers.process import wait_until

pytestmark = pytest.mark.system

COMMAND = Path(sys.executable).with_name("memesnipe")
MARK = "MEMESNIPE_TEST_MARK"


def started_by_us(mark: str, home: Path) -> list[str]:
    """What still runs of a start: by its environment, or by the folder that it is given."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(MARK) == mark or str(home) in " ".join(process.cmdline())
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {process.name()}")
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture
def up(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    environment = os.environ | {MARK: str(tmp_path), "MEMESNIPE_HOME": str(tmp_path / "home")}
    with (tmp_path / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [COMMAND, "up"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True,
            start_new_session=True,
        )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("moment", ["Starting Ray", "Starting the dashboard"])
def test_ctrl_c_while_it_starts(up: "subprocess.Popen[str]", tmp_path: Path, moment: str) -> None:
    told = tmp_path / "stderr"
    assert wait_until(lambda: moment in told.read_text() or up.poll() is not None, 240)
    os.killpg(up.pid, signal.SIGINT)  # as a terminal does it: to everyone of the group
    out, _ = up.communicate(timeout=120)
    assert (up.returncode, out) == (130, "")
    text = told.read_text()
    assert text.splitlines()[-2:] == ["Stopping ...", "memesnipe: interrupted"], text
    assert "Traceback" not in text
    assert started_by_us(str(tmp_path), tmp_path / "home") == []


def test_ctrl_c_while_modules_are_loaded(tmp_path: Path) -> None:
    # A module of ours that takes long stands for all that do: it tells when it is loaded, and waits.
    (tmp_path / "slow.py").write_text("import sys\nprint('loading', flush=True)\nsys.stdin.read()\n")
    script = (
        "import sys, importlib.abc\n"
        "class Slow(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'memesnipe.cli.main': import slow\n"
        "sys.meta_path.insert(0, Slow())\n"
        "from memesnipe.__main__ import run\nrun()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "memesnipe: interrupted\n")
