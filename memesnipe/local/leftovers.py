"""The processes of an installation's Ray: known by a mark in their environment, and killed when their Ray is gone."""

import os
import time
from typing import Final

import psutil

MARK: Final = "MEMESNIPE_RAY_OF"  # with the installation's name, in the environment of every process of its Ray
_KILL_S: Final = 10.0


def end_leftovers(installation: str) -> None:
    """Kill every process that belongs to a Ray of this installation, but the one that calls this."""
    deadline = time.monotonic() + _KILL_S
    while (found := _marked(installation)) and time.monotonic() < deadline:
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(found, timeout=1)


def _marked(installation: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter() if p.pid != os.getpid() and _has_mark(p, installation)]


def _has_mark(process: psutil.Process, installation: str) -> bool:
    try:
        return bool(process.environ().get(MARK) == installation) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):  # ended, or somebody else's
        return False
