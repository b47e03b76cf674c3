"""One server as a child process: it does not outlive this process and does not receive the terminal's Ctrl-C."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from memesnipe.file_lock import LockedError, PidLock, lock_holder
from memesnipe.servers.process import LocalServerError, PortTakenError, stop_leftover, wait_until

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loading a library after a fork is unsafe
_PR_SET_PDEATHSIG = 1
_MAX_LOG_BYTES = 10_000_000
_ERROR_MARKS = ("FATAL", "PANIC", "error", "Fatal", "Bad file format", "Address already in use")
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Account:
    """The user and group that a server runs as."""

    uid: int
    gid: int


def die_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """Return a preexec hook after which Linux signals the child when the thread that started it ends, even by SIGKILL.

    subprocess calls the hook after switching the user; a later switch would clear the request.
    """
    parent = os.getpid()

    def hook() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the request
            os._exit(1)

    return hook


class ChildServer:
    """One server process over one folder, whose lock is held from start to stop."""

    def __init__(self, title: str, folder: Path, stop_signal: signal.Signals) -> None:
        self.log = folder / "server.log"
        self._title = title
        self._folder = folder
        self._signal = stop_signal
        self._lock: PidLock | None = None
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def starting(self, pidfile: Path) -> Iterator[None]:
        """Lock the folder and stop a leftover server; a failure in the body undoes the start.

        Raises:
            LocalServerError: the folder is in use, or the body failed with an error of the system.
        """
        if self._lock is not None:
            raise LocalServerError(f"{self._title} of {self._folder} is already started: stop it first")
        with self.guarded():
            self._claim()
            stop_leftover(pidfile, self._signal)
            yield

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Stop the server when the body fails, and convert errors of the system to LocalServerError."""
        try:
            yield
        except (OSError, subprocess.SubprocessError) as error:
            self.stop()
            raise LocalServerError(
                f"{self._title} cannot start in {self._folder}: {error}; check that folder and {self.log}"
            ) from error
        except BaseException:
            self.stop()
            raise

    def _claim(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            # Linux would end the server with the thread that started it.
            raise LocalServerError(f"{self._title} must be started from the main thread")
        try:
            self._lock = PidLock(self._folder / "lock")
        except LockedError:
            raise LocalServerError(
                f"another MemeSnipe (process {lock_holder(self._folder / 'lock')}) runs {self._title} in "
                f"{self._folder}: stop that one first, or use another folder"
            ) from None

    @property
    def has_died(self) -> bool:
        """Return whether the server ended without being stopped."""
        return self._process is not None and self._process.poll() is not None

    def run_tool(self, command: list[str], account: Account | None, text: str = "") -> None:
        """Run a helper program to its end, with its output in the log.

        Raises:
            LocalServerError: it failed.
        """
        with self._open_log() as log:
            done = subprocess.run(
                command, input=text.encode(), stdout=log, check=False, timeout=300, **self._popen_options(account)
            )
        if done.returncode:
            raise LocalServerError(self._failure(f"{Path(command[0]).name} failed"))

    def launch(self, command: list[str], account: Account | None = None) -> None:
        """Start the server without waiting; `wait_ready` reports the outcome."""
        with self._open_log() as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, **self._popen_options(account)
            )

    def wait_ready_or_relaunch(self, ready: Callable[[int], bool], relaunch: Callable[[], None]) -> None:
        """Wait until the server is ready; relaunch it once when another program uses its port.

        Raises:
            LocalServerError: it does not become ready.
        """
        with self.guarded():
            try:
                self.wait_ready(ready)
            except PortTakenError:
                relaunch()
                self.wait_ready(ready)

    def wait_ready(self, ready: Callable[[int], bool], seconds: float = 90) -> None:
        """Wait until ``ready`` returns True for the server's pid.

        Raises:
            PortTakenError: another program uses its port.
            LocalServerError: it ended, or is not ready in time.
        """
        process = self._process
        if process is None:
            raise LocalServerError(f"{self._title} of {self._folder} is not started: start it first")
        in_time = wait_until(lambda: process.poll() is not None or ready(process.pid), seconds)
        if process.returncode is None and in_time:
            return
        if "Address already in use" in self.new_log():
            raise PortTakenError(self._failure("another program uses its port"))
        raise LocalServerError(self._failure("did not start" if in_time else f"not ready in {seconds:.0f} s"))

    def stop(self, seconds: float = 30) -> None:
        """Stop the server if it runs, with SIGKILL if it ignores the first signal, and unlock the folder."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(self._signal)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(seconds)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _popen_options(self, account: Account | None) -> dict[str, Any]:
        """Return the options that all child processes share."""
        options: dict[str, Any] = {
            "stderr": subprocess.STDOUT,
            "cwd": "/" if account else self._folder,  # another user may have no access to the folder
            # Few variables: a server must not get our keys, and C keeps its messages in English.
            "env": {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | {"LC_ALL": "C"},
            "start_new_session": True,
            "preexec_fn": die_with_parent(self._signal),
        }
        if account is not None:
            options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
        return options

    def _open_log(self) -> BinaryIO:
        if self.log.exists() and self.log.stat().st_size > _MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.old"))
        log = os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
        self._log_start = log.tell()
        return log

    def new_log(self) -> str:
        """Return the output of the last started program."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read(_MAX_LOG_BYTES).decode(errors="replace")

    def _failure(self, failure: str) -> str:
        lines = self.new_log().strip().splitlines() or ["no output"]
        errors = [line for line in lines if any(mark in line for mark in _ERROR_MARKS)] or lines
        return f"{self._title}: {failure} ({errors[-1].strip()}); see {self.log}, fix the cause and start again"
