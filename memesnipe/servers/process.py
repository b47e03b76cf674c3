"""Ports and processes of this machine."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from memesnipe.errors import MemeSnipeError

_SERVER_NAMES = ("redis-server", "valkey-server", "postgres")


class LocalServerError(MemeSnipeError):
    """An embedded server does not start; the text names the server, the folder and the remedy."""


class PortTakenError(LocalServerError):
    """Another program took the port between the check and the server's bind."""


def free_port(preferred: int) -> int:
    """Return the preferred port of 127.0.0.1 if it is free, else any free port.

    Raises:
        LocalServerError: no port is free.
    """
    for port in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # Like the servers: a port in TIME_WAIT after the last stop counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise LocalServerError("127.0.0.1 has no free port: stop some programs and try again")


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition holds; return False if it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def read_pid(pidfile: Path) -> int | None:
    """Return the pid in the first line of a pidfile; None without a valid one."""
    try:
        pid = int(pidfile.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if pid > 1 else None


def is_alive(pid: int) -> bool:
    """Return whether any process has this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it belongs to another user
        return True
    return True


def is_server_of(pid: int, folder: Path) -> bool:
    """Return whether a process is a server over this folder, rather than an unrelated process with the same pid."""
    path = os.path.realpath(folder)
    try:
        process = psutil.Process(pid)
        if process.name() not in _SERVER_NAMES:
            return False
        try:
            return bool(process.cwd() == path)  # both servers run in their data folder
        except psutil.AccessDenied:
            # root in a container may not read another user's cwd, but every user may read a command line.
            return path in process.cmdline()
    except psutil.Error:
        return False


def stop_leftover(pidfile: Path, stop_signal: signal.Signals, seconds: float = 20) -> None:
    """Stop a server over the pidfile's folder that was left by a killed process.

    Raises:
        LocalServerError: it does not stop, even with SIGKILL.
    """
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
    raise LocalServerError(f"process {pid} of {pidfile.parent} does not stop: end it manually and try again")
