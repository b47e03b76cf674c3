"""The small parts under the embedded servers: ports, pids and failures."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memesnipe.servers.child import ChildServer
from memesnipe.servers.process import LocalServerError, free_port, is_alive, is_server_of, read_pid, wait_until


def test_a_taken_port_gives_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = free_port(port)
        assert other not in (0, port)
    assert free_port(port) == port


@pytest.mark.parametrize(("text", "pid"), [("12\n/data\n", 12), ("", None), ("x", None), ("-7\n", None), ("1\n", None)])
def test_a_pidfile_is_read(tmp_path: Path, text: str, pid: int | None) -> None:
    (tmp_path / "pid").write_text(text)
    assert read_pid(tmp_path / "pid") == pid
    assert read_pid(tmp_path / "none") is None


def test_an_unrelated_process_is_not_a_server(tmp_path: Path) -> None:
    assert is_alive(os.getpid())
    with subprocess.Popen(["sleep", "30"], cwd=tmp_path) as unrelated:
        assert is_alive(unrelated.pid)
        assert not is_server_of(unrelated.pid, tmp_path)
        unrelated.kill()
    assert not is_alive(unrelated.pid)


def test_wait_until_ends_at_its_deadline() -> None:
    begin = time.monotonic()
    assert not wait_until(lambda: False, 0.05)
    assert time.monotonic() - begin < 2


def test_the_error_of_a_dead_server_names_the_cause(tmp_path: Path) -> None:
    server = ChildServer("Thing", tmp_path, signal.SIGTERM)
    with (
        pytest.raises(LocalServerError, match=r"Thing: did not start \(FATAL: no luck\); see .*server\.log"),
        server.starting(tmp_path / "pid"),
        server.guarded(),
    ):
        server.launch([sys.executable, "-c", "print('FATAL: no luck\\nbye')"])
        server.wait_ready(lambda _: False)
    with server.starting(tmp_path / "pid"):  # the folder is free again
        pass
    server.stop()


def test_a_missing_program_is_a_one_line_error(tmp_path: Path) -> None:
    server = ChildServer("Thing", tmp_path, signal.SIGTERM)
    with pytest.raises(LocalServerError, match="cannot start") as caught, server.starting(tmp_path / "pid"):
        server.launch([str(tmp_path / "nothing")])
    assert "\n" not in str(caught.value)


def test_a_server_that_ignores_its_signal_is_killed(tmp_path: Path) -> None:
    server = ChildServer("Deaf", tmp_path, signal.SIGTERM)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    with server.starting(tmp_path / "pid"):
        server.launch([sys.executable, "-c", code])
        server.wait_ready(lambda _: server.log.read_text() == "up\n")
    begin = time.monotonic()
    server.stop(seconds=0.2)
    server.stop()
    assert time.monotonic() - begin < 5


def test_the_child_gets_a_session_but_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WALLET_KEY", "secret")
    server = ChildServer("Thing", tmp_path, signal.SIGTERM)
    code = "import os; print(os.getsid(0) == os.getpid(), 'WALLET_KEY' in os.environ)"
    with server.starting(tmp_path / "pid"):
        server.run_tool([sys.executable, "-c", code], None)
    server.stop()
    assert server.log.read_text() == "True False\n"
