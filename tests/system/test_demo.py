"""Ctrl-C ends `memesnipe demo` at any stage with code 130: nothing runs, no port is taken, and it says what is kept."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from memesnipe.config.home import Home
from memesnipe.config.settings import read_resolved
from memesnipe.servers.process import wait_until
from tests.system.installation import processes_of, share_compiled

pytestmark = pytest.mark.system

COMMAND = Path(sys.executable).with_name("memesnipe")
_SECONDS: Final = 30.0  # on a machine with other work; a few seconds on an idle one


@pytest.fixture
def demo(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    share_compiled(tmp_path)
    environment = os.environ | {"TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    with (tmp_path / "told").open("w") as told:
        process = subprocess.Popen(
            [COMMAND, "demo", "--minutes", "0.3"], cwd=tmp_path, env=environment, stdout=told, stderr=told, text=True,
            start_new_session=True,
        )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


def folders(tmp_path: Path) -> list[Path]:
    return list(tmp_path.glob("memesnipe-demo-*"))


def interrupt_at(demo: "subprocess.Popen[str]", tmp_path: Path, moment: str) -> str:
    """Press Ctrl-C, as a terminal sends it, once the demo has said something; return all that it has said."""
    told = tmp_path / "told"
    assert wait_until(lambda: moment in told.read_text() or demo.poll() is not None, 300)
    assert demo.poll() is None, told.read_text()
    ports = [_port(folder) for folder in folders(tmp_path)]
    began = time.monotonic()
    os.killpg(demo.pid, signal.SIGINT)
    demo.wait(120)
    seconds, text = time.monotonic() - began, told.read_text()
    assert demo.returncode == 130, text
    assert text.splitlines()[-1] == "memesnipe: interrupted" and "Traceback" not in text, text
    assert seconds < _SECONDS
    assert processes_of(tmp_path) == {}
    for port in filter(None, ports):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, port
    return text


def _port(folder: Path) -> int:
    """Return the port of the page; 0 before it is known."""
    settings = Home(folder / ".memesnipe").settings
    return read_resolved(settings).api.dashboard_port if settings.is_file() else 0


def test_ctrl_c_while_it_starts_leaves_nothing(demo: "subprocess.Popen[str]", tmp_path: Path) -> None:
    text = interrupt_at(demo, tmp_path, "Starting Ray")
    assert "Stopping ...\nNothing was traded yet, so nothing is kept.\n" in text
    assert folders(tmp_path) == []


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("moment", ["The system is healthy", "was killed by SIGKILL", "Stopping the system"])
def test_ctrl_c_later_keeps_the_run(demo: "subprocess.Popen[str]", tmp_path: Path, moment: str) -> None:
    text = interrupt_at(demo, tmp_path, moment)
    (folder,) = folders(tmp_path)
    assert f"The run so far is in {folder}: `memesnipe report -o run.html` there makes its report" in text
    command = [str(COMMAND), "report", "-o", "run.html", "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMESNIPE_")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and (folder / "run.html").stat().st_size > 10_000, done.stderr
