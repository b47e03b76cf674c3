"""A command in a terminal of its own, as a user sees it."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

COMMAND = Path(sys.executable).with_name("memesnipe")
# `pty.spawn` in a process of its own: a fork of this one, which has threads, may deadlock. What it reads it types into
# the terminal, so that the byte 3 is Ctrl-C for the command.
SPAWN = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
CTRL_C = b"\x03"


class Terminal:
    """Run `memesnipe` in a terminal of 100 columns; what still runs at the end is killed."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        environment = {**environment, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"}
        command = [sys.executable, "-c", SPAWN, str(COMMAND), *arguments]
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.rest = ""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def read_until(self, *texts: str, timeout_s: float = 60) -> str:
        """Return what is shown from the last call on, until it has all texts."""
        assert self._process.stdout is not None
        end, shown = time.monotonic() + timeout_s, ""
        while not all(text in shown for text in texts):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"waited {timeout_s} s for {texts} in {shown}"
            more = os.read(self._process.stdout.fileno(), 65_536).decode(errors="replace")
            assert more, f"it has ended: {shown}"
            shown += more
        return shown

    def press_ctrl_c(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(CTRL_C)
        self._process.stdin.flush()

    def wait(self, timeout_s: float = 30) -> int:
        """Return the exit code; ``rest`` has what was shown since the last read."""
        assert self._process.stdout is not None
        self.rest = self._process.stdout.read().decode(errors="replace")
        return self._process.wait(timeout_s)
