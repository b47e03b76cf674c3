"""Ports and processes of this machine: what is free, who is alive, and whose it is."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from memesnipe.errors import MemeSnipeError

_SERVER_NAMES = ("redis-server", "valkey-server", "postgres")


class LocalServerError(MemeSnipeError):
    """An embedded server does not start; the text says what, where and what to do."""


class PortTakenError(LocalServerError):
    """Someone took the port between our look at it and the server's bind."""


def free_port(preferred: int) -> int:
    """Give the preferred port of 127.0.0.1 when nobody listens there, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As the servers do it: a port in TIME_WAIT after our last stop counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise LocalServerError("127.0.0.1 has no free port: stop some programs and try again")


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def read_pid(pidfile: Path) -> int | None:
    """Read the first line of a pidfile; None when there is no whole number in it."""
    try:
        pid = int(pidfile.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if pid > 1 else None


def is_alive(pid: int) -> bool:
    """Tell whether any process has this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # someone else's
        return True
    return True


def is_server_of(pid: int, folder: Path) -> bool:
    """Tell whether this live process is a server over this folder, not a stranger that got the same pid."""
    where = os.path.realpath(folder)
    return _seen_in_proc(pid, where) if sys.platform == "linux" else _seen_by_lsof(pid, where)


def _seen_in_proc(pid: int, where: str) -> bool:
    process = Path("/proc") / str(pid)
    try:
        if process.joinpath("comm").read_text().strip() not in _SERVER_NAMES:
            return False
        return str(process.joinpath("cwd").readlink()) == where  # both servers stand in their data folder
    except PermissionError:
        # root in a container may not read another user's cwd, but anyone may read a command line.
        return where in process.joinpath("cmdline").read_text().split("\0")
    except OSError:
        return False


def _seen_by_lsof(pid: int, where: str) -> bool:
    command = ["lsof", "-a", "-p", str(pid), "-d", "cwd", "-F", "cn"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = found.splitlines()
    return f"n{where}" in lines and any(f"c{name}" in lines for name in _SERVER_NAMES)


def stop_leftover(pidfile: Path, stop_signal: signal.Signals, seconds: float = 20) -> None:
    """Stop the server that a killed owner left over the pidfile's folder, if there is one."""
    pid = read_pid(pidfile)
    if pid is None:
        return
    for number in (stop_signal, signal.SIGKILL):
        if not is_server_of(pid, pidfile.parent):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_until(lambda: not is_server_of(pid, pidfile.parent), seconds):
            return
    raise LocalServerError(f"process {pid} of {pidfile.parent} does not stop: end it by hand and try again")
