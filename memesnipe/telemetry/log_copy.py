"""A second destination of the log lines of all processes: a file, or the standard output of a container."""

import logging
import os
from pathlib import Path


class CopyHandler(logging.Handler):
    """Append lines to a file that several processes write to, without ever waiting for a reader.

    A pipe whose reader does not keep up loses lines, and the next line that fits says how many.

    Args:
        path: of the file, or of a pipe such as /proc/1/fd/1.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._lost = 0
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line in one call, so that lines of several processes do not mix."""
        # On a line of its own, since the last line may have been cut.
        notice = f'\n{{"event": "log lines were lost", "lines": {self._lost}}}\n' if self._lost else ""
        line = f"{notice}{record.getMessage()}\n".encode()
        try:
            written = os.write(self._file, line)
        except OSError:  # full, or its reader has gone; the actor's own file has the line
            written = 0
        self._lost = 0 if written == len(line) else self._lost + 1

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
        super().close()
