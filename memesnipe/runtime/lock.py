"""The lock of a home folder: it admits one `memesnipe up` at a time, and holds its process id for other commands."""

from pathlib import Path

from memesnipe.config.home import Home
from memesnipe.errors import MemeSnipeError
from memesnipe.file_lock import LockedError, PidLock, lock_holder


def acquire(home: Path) -> PidLock:
    """Take the lock; it is held until it is closed or the process ends.

    Raises:
        MemeSnipeError: another process holds it.
    """
    try:
        return PidLock(Home(home).lock)
    except LockedError:
        raise MemeSnipeError(
            f"already running in {home.parent} (process {holder(home)}): stop it with `memesnipe down`"
        ) from None


def holder(home: Path) -> int | None:
    """Return the id of the process that holds the lock; None when it is free.

    Raises:
        MemeSnipeError: it is held, but its file contains no process id.
    """
    return lock_holder(Home(home).lock)
