"""The file of accepted signals: what is in it survives a crash, and the feed reads it."""

import os
import threading
from pathlib import Path
from typing import Final

MAX_UNREAD_BYTES: Final = 1 << 20


class Spool:
    """A file to which lines are appended, and how much of it the feed has read. Two threads use it.

    Args:
        path: the file; it is created with its folder.
        max_unread_bytes: more is not taken until the feed has read some of it.
    """

    def __init__(self, path: Path, max_unread_bytes: int = MAX_UNREAD_BYTES) -> None:
        self.path = path
        self._max_unread_bytes = max_unread_bytes
        self._lock = threading.Lock()
        self._read = 0

    def open(self, read: int) -> None:
        """Create the file if needed, and cut off a line that a crash left incomplete: it was not acknowledged.

        Args:
            read: bytes at its beginning that the feed has read.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, self.path.open("a+b") as file:
            file.seek(0)
            whole = file.read().rpartition(b"\n")
            file.truncate(len(whole[0]) + len(whole[1]))
            self._read = read

    def note_read(self, offset: int) -> None:
        """Note that the feed has read up to an offset."""
        with self._lock:
            self._read = offset

    def add(self, lines: bytes) -> bool:
        """Append lines so that they survive a crash of the machine; return False if too much is unread.

        Raises:
            OSError: they cannot be written; the file is as before.
        """
        with self._lock, self.path.open("ab") as file:
            size = file.tell()
            if size + len(lines) - self._read > self._max_unread_bytes:
                return False
            try:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
        return True
