"""The lock of a home folder: one `memesnipe up` at a time, and its process number for the other commands."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO, Final

from memesnipe.errors import MemeSnipeError

_WRITTEN_S: Final = 2.0


def acquire(home: Path) -> IO[str]:
    """Hold the lock until the file is closed or the process ends, however it ends.

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
    """The process that holds the lock, or None when nobody does."""
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
    """The number in a lock's file; who has just taken the lock writes it in the next moment.

    Raises:
        MemeSnipeError: there is none.
    """
    deadline = time.monotonic() + _WRITTEN_S
    while time.monotonic() < deadline:
        file.seek(0)
        text = file.read()
        if text.isdigit() and int(text) > 0:  # a signal to 0 would be one to ourselves
            return int(text)
        time.sleep(0.01)
    raise MemeSnipeError(f"{file.name} is locked by a process that does not name itself in it")
