"""The source of a file to which another program appends lines."""

import os
import threading
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, Final, Literal

from memesnipe.feeds.base import IDLE, FeedEvent, ResumeToken, Signal

INTERVAL_S: Final = 0.2
MAX_LINE_BYTES: Final = 65_536


class LinesSource:
    """The lines of a file, as bytes, as they are appended; a line counts once its end is there.

    It begins at the end of the file, and continues after the last line that was delivered: the token is the offset.

    Args:
        path: the file.
        interval_s: seconds between two looks at it.
    """

    def __init__(self, path: Path, interval_s: float = INTERVAL_S) -> None:
        self._path, self._interval_s = path, interval_s
        self._closed = threading.Event()

    def read(self, token: ResumeToken) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:
        """Yield the lines after the token as they are appended.

        Raises:
            OSError: the file cannot be read, was replaced or has become shorter, or a line is too long.
        """
        with self._path.open("rb") as file:
            offset = token["offset"] if token else os.fstat(file.fileno()).st_size
            while not self._closed.is_set():
                self._check(file, offset)
                file.seek(offset)
                yield IDLE
                for line in iter(lambda: file.readline(MAX_LINE_BYTES), b""):
                    if not line.endswith(b"\n"):
                        if len(line) >= MAX_LINE_BYTES:
                            raise OSError(f"{self._path}: a line is longer than {MAX_LINE_BYTES} bytes")
                        break  # it is being written
                    offset += len(line)
                    yield FeedEvent(line, {"offset": offset})
                self._closed.wait(self._interval_s)

    def _check(self, file: BinaryIO, offset: int) -> None:
        opened, named = os.fstat(file.fileno()), self._path.stat()
        if (opened.st_dev, opened.st_ino) != (named.st_dev, named.st_ino):
            raise OSError(f"{self._path}: was replaced by another file; append to the old one")
        if opened.st_size < offset:
            raise OSError(f"{self._path}: has become shorter; append to it, and never change what is there")

    def close(self) -> None:
        """End the reading."""
        self._closed.set()
