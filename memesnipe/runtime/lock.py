"""The lock of a home folder: it admits one `memesnipe up` at a time, and holds its process id for other commands."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO, Final

from memesnipe.errors import MemeSnipeError

_PID_WAIT_S: Final = 2.0


def acquire(home: Path) -> IO[str]:
    """Take the lock; it is held until the returned file is closed or the process ends.

    Raises:
        MemeSnipeError: another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    file = (home / "up.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise MemeSnipeError(
            f"already running in {home.parent} (process {holder(home)}): stop it with `memesnipe down`"
        ) from None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def holder(home: Path) -> int | None:
    """Return the id of the process that holds the lock; None when it is free.

    Raises:
        MemeSnipeError: it is held, but its file contains no process id.
    """
    path = home / "up.lock"
    if not path.is_file():
        return None
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _pid_in(file)
    return None


def _pid_in(file: IO[str]) -> int:
    """Return the process id in a lock's file; a process that has just taken the lock writes it a moment later.

    Raises:
        MemeSnipeError: there is none within 2 s.
    """
    deadline = time.monotonic() + _PID_WAIT_S
    while time.monotonic() < deadline:
        file.seek(0)
        text = file.read()
        if text.isdigit() and int(text) > 0:  # a signal to 0 would reach this process group
            return int(text)
        time.sleep(0.01)
    raise MemeSnipeError(f"{file.name} is locked, but contains no process id")
