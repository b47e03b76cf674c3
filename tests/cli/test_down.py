"""`memesnipe down` returns only when the process has ended and its port is free."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memesnipe.cli import running
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.lock import acquire, holder
from memesnipe.servers.process import wait_until

# Holds the lock as `up` does, releases it on SIGTERM, and ends at the end of its input.
LINGERS = """
import signal, sys
from pathlib import Path
from memesnipe.runtime.lock import acquire
lock = acquire(Path(sys.argv[1]))
signal.signal(signal.SIGTERM, lambda *_: lock.close())
sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def lingering(home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", LINGERS, str(home)], stdin=subprocess.PIPE)
    assert wait_until(lambda: holder(home) == process.pid, 30)
    yield process
    process.kill()
    process.communicate()


def test_down_waits_until_the_process_has_ended(home: Path, lingering: "subprocess.Popen[bytes]") -> None:
    assert lingering.stdin is not None
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(running.down)
        assert wait_until(lambda: holder(home) is None, 10)
        assert not wait_until(stopped.done, 0.4)  # the lock is free, the process still runs
        lingering.stdin.close()
        assert stopped.result(10)
    assert lingering.wait(0) == 0


def test_down_works_without_readable_settings(home: Path, lingering: "subprocess.Popen[bytes]") -> None:
    assert lingering.stdin is not None
    (home / "settings.json").write_text("{")
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(running.down)
        assert wait_until(lambda: holder(home) is None, 10)
        lingering.stdin.close()
        assert stopped.result(10)


def test_a_process_that_does_not_stop_is_named(
    home: Path, lingering: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_STOP_S", 0.2)
    with pytest.raises(MemeSnipeError, match=rf"not stopped within 0.2 s: process {lingering.pid} still runs; see "):
        running.down()


def test_a_port_that_stays_in_use_is_named(
    home: Path, lingering: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_STOP_S", 1.0)
    assert lingering.stdin is not None
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        port = server.getsockname()[1]
        write_resolved(settings_from({"dashboard_port": port}, env_file=None), home / "settings.json")
        stopped = pool.submit(running.down)
        assert wait_until(lambda: holder(home) is None, 10)
        lingering.stdin.close()
        with pytest.raises(MemeSnipeError, match=re.escape(f"port {port} of the dashboard is still in use")):
            stopped.result(10)


def test_a_lock_without_a_process_id_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with acquire(home):
        (home / "up.lock").write_text("")
        monkeypatch.setattr("memesnipe.file_lock._PID_WAIT_S", 0.1)
        with pytest.raises(MemeSnipeError, match="contains no process id"):
            running.down()
