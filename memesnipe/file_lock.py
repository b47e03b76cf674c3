"""Locks of files between processes, released by the kernel when their process ends for any reason.

`filelock` is not used. It locks a file beside the data, which can be deleted, where the event log locks its data; its
older versions empty the file, which contains the holder's process id, at every attempt; and it adds 30 ms to the
start of `memesnipe halt` and `status`, which only read who holds a lock.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Final, Self

from memesnipe.errors import MemeSnipeError

_PID_WAIT_S: Final = 2.0


def try_lock(fd: int) -> bool:
    """Lock an open file for this process alone; return whether no other one has locked it.

    The lock is held until the file is closed or the process ends.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class PidLock:
    """A locked file that contains the process id of its holder.

    Raises:
        LockedError: another process holds it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not try_lock(self._fd):
            self.close()
            raise LockedError(path)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def __enter__(self) -> Self:
        """Return the lock, which is held."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        self.close()

    def close(self) -> None:
        """Release the lock if it is held."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class LockedError(Exception):
    """Another process holds the lock."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is locked by another process")


def lock_holder(path: Path) -> int | None:
    """Return the id of the process that holds a `PidLock`; None when it is free.

    Raises:
        MemeSnipeError: it is held, but contains no process id within 2 s. A process that has just taken the lock writes
            it a moment later.
    """
    deadline = time.monotonic() + _PID_WAIT_S
    while time.monotonic() < deadline:
        try:
            with path.open("r+") as file:
                if try_lock(file.fileno()):
                    return None
                text = file.read().strip()
        except FileNotFoundError:
            return None
        if text.isdigit() and int(text) > 0:  # a signal to 0 would reach this process group
            return int(text)
        time.sleep(0.01)
    raise MemeSnipeError(f"{path} is locked, but contains no process id")
