"""Compilation in a separate process, so that the servers start meanwhile and Ctrl-C ends it at once.

The process holds a lock in the home folder while it compiles; a process that would compile the same code waits for it.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from memesnipe.errors import MemeSnipeError, StrategyError
from memesnipe.servers.child import die_with_parent

COMPILER: Final = "the compiler"
_KILLED_S: Final = 10.0
_NICENESS: Final = 5


class Compiler:
    """The process that compiles the engine and every strategy, or loads the compiled code from the disk cache."""

    def __init__(self, lock_file: Path, command: Sequence[str]) -> None:
        """Start the process.

        Args:
            lock_file: the lock of the installation's compiler.
            command: the program; it writes an error of a strategy to its standard output.
        """
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        self._began = time.monotonic()
        with lock_file.open("a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # inherited by the process, and released when it ends for any reason
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=(lock.fileno(),),
                start_new_session=True,  # Ctrl-C must reach this process alone
                preexec_fn=_in_background(),  # noqa: PLW1509 - as for the servers
            )  # fmt: skip

    def check(self) -> bool:
        """Return whether the process has finished.

        Raises:
            StrategyError: a strategy breaks a rule; the text names the file, the line and the rule.
            MemeSnipeError: it failed otherwise.
        """
        code = self._process.poll()
        if code:
            assert self._process.stdout is not None  # noqa: S101 - it is a pipe
            text = self._process.stdout.read().decode(errors="replace").strip()
            if code == StrategyError.exit_code and text:
                raise StrategyError(text)
            raise MemeSnipeError(f"the compiler failed: {text or f'its process ended with {code}'}")
        return code == 0

    def stop(self) -> None:
        """End the process if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(_KILLED_S)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _in_background() -> Callable[[], None]:
    """Return a preexec hook: the process ends with its parent, and leaves the processor to those that start."""
    die = die_with_parent(signal.SIGKILL)

    def hook() -> None:
        os.nice(_NICENESS)
        die()

    return hook


def is_compiling(lock_file: Path) -> bool:
    """Return whether a compiler holds the lock."""
    try:
        with lock_file.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
