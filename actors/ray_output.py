"""What Ray's compiled part prints on stderr, where no setting of Ray stops it."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def kept_from_stderr() -> Iterator[BinaryIO]:
    """Write what this process prints on stderr to a temporary file instead, and give that file."""
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)


def text_of(file: BinaryIO) -> str:
    """Return what was written to the file."""
    file.seek(0)
    return file.read().decode(errors="replace")
