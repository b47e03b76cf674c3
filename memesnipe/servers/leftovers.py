"""Killing the processes of an installation's Ray that are left when their Ray has ended.

They are recognised by a mark in their environment. Ray's agents overwrite their environment with their title, so a
process also belongs to a Ray when it is in the session of the process that runs that Ray.
"""

import os
import time
from typing import Final

import psutil

MARK: Final = "MEMESNIPE_RAY_OF"  # environment variable with the installation's name
STOP: Final = b"stop\n"  # what the process that runs Ray reads when it is stopped, and not when `up` is killed
_KILL_S: Final = 10.0


def is_of_ray(pid: int, installation: str) -> bool:
    """Return whether a process belongs to a Ray of this installation."""
    return _has_mark(pid, installation) or _has_mark(_session(pid), installation)


def end_leftovers(installation: str, session: int = 0) -> None:
    """Kill every process that belongs to a Ray of this installation, except the calling process.

    Args:
        installation: its name.
        session: of a process that ran its Ray and may have ended; 0 if unknown.
    """
    sessions = {session} - {0}
    deadline = time.monotonic() + _KILL_S
    while (found := _found(installation, sessions)) and time.monotonic() < deadline:
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(found, timeout=1)


def _found(installation: str, sessions: set[int]) -> list[psutil.Process]:
    """Return the processes to kill; add the sessions of marked processes to ``sessions`` for later calls."""
    processes = {process: _session(process.pid) for process in psutil.process_iter()}
    marked = {process for process in processes if _has_mark(process.pid, installation)}
    sessions |= {processes[process] for process in marked}
    ours = {s for s in sessions if s and not _is_foreign(s, installation)}
    return [
        process
        for process, session in processes.items()
        if (process in marked or session in ours) and process.pid != os.getpid() and not _has_ended(process)
    ]


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:  # it has ended
        return 0


def _has_mark(pid: int, installation: str) -> bool:
    try:
        return bool(psutil.Process(pid).environ().get(MARK) == installation)
    except (psutil.Error, OSError):  # it has ended, or belongs to another user
        return False


def _is_foreign(session: int, installation: str) -> bool:
    """Return whether a session's leader runs without the mark: an unrelated process may have got the leader's pid."""
    try:
        return not _has_ended(psutil.Process(session)) and not _has_mark(session, installation)
    except psutil.NoSuchProcess:
        return False


def _has_ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
