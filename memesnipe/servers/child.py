"""Starts, watches and stops one child server that never outlives us and never sees the terminal's Ctrl-C."""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from memesnipe.servers.process import LocalServerError, PortTakenError, read_pid, stop_leftover, wait_until

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: no loading after a fork
_PR_SET_PDEATHSIG = 1
_MAX_LOG_BYTES = 10_000_000
_ALARMS = ("FATAL", "PANIC", "error", "Fatal", "Bad file format", "Address already in use")
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Account:
    """The user and group a server runs as."""

    uid: int
    gid: int


def die_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """Make the hook that lets Linux signal the child when the thread that starts it ends, even by SIGKILL.

    subprocess calls the hook after it switched the user; a switch after it would clear the request.
    """
    parent = os.getpid()

    def hook() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the request
            os._exit(1)

    return hook


class ChildServer:
    """One server process over one folder, with the folder's lock held from the start to the stop."""

    def __init__(self, title: str, folder: Path, stop_signal: signal.Signals) -> None:
        self.log = folder / "server.log"
        self._title = title
        self._folder = folder
        self._signal = stop_signal
        self._lock: int | None = None
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def starting(self, pidfile: Path) -> Iterator[None]:
        """Claim the folder and its leftovers; what fails inside undoes the start and reads as one line."""
        if self._lock is not None:
            raise LocalServerError(f"{self._title} of {self._folder} is started already: stop it first")
        with self.guarded():
            self._claim()
            stop_leftover(pidfile, self._signal)
            yield

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Stop everything when the body fails, and turn the system's errors into LocalServerError."""
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
            # Linux would end the server together with the thread that started it.
            raise LocalServerError(f"{self._title} must be started from the main thread")
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise LocalServerError(
                f"another MemeSnipe (process {read_pid(self._folder / 'lock')}) runs {self._title} in "
                f"{self._folder}: stop that one first, or use another folder"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    @property
    def has_died(self) -> bool:
        """Whether the server ended without being stopped."""
        return self._process is not None and self._process.poll() is not None

    def run_tool(self, command: list[str], account: Account | None, text: str = "") -> None:
        """Run a helper program to its end, with its output in the log."""
        with self._open_log() as log:
            done = subprocess.run(
                command, input=text.encode(), stdout=log, check=False, timeout=300, **self._how(account)
            )
        if done.returncode:
            raise LocalServerError(self._failure(f"{Path(command[0]).name} failed"))

    def launch(self, command: list[str], account: Account | None = None) -> None:
        """Start the server; wait_ready then tells how that went."""
        with self._open_log() as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, **self._how(account))

    def wait_ready_or_again(self, ready: Callable[[int], bool], again: Callable[[], None]) -> None:
        """Wait until the server is ready; when it lost its port to another program, start it once more first."""
        with self.guarded():
            try:
                self.wait_ready(ready)
            except PortTakenError:
                again()
                self.wait_ready(ready)

    def wait_ready(self, ready: Callable[[int], bool], seconds: float = 90) -> None:
        """Wait until the server of this very pid says that it is ready."""
        process = self._process
        if process is None:
            raise LocalServerError(f"{self._title} of {self._folder} is not started: start it first")
        in_time = wait_until(lambda: process.poll() is not None or ready(process.pid), seconds)
        if process.returncode is None and in_time:
            return
        if "Address already in use" in self.new_log():
            raise PortTakenError(self._failure("another program took its port"))
        raise LocalServerError(self._failure("did not start" if in_time else f"not ready in {seconds:.0f} s"))

    def stop(self, seconds: float = 30) -> None:
        """Stop the server if it runs, by SIGKILL when it does not listen, and free the folder."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(self._signal)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(seconds)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _how(self, account: Account | None) -> dict[str, Any]:
        """Give what every child has in common."""
        how: dict[str, Any] = {
            "stderr": subprocess.STDOUT,
            "cwd": "/" if account else self._folder,  # another user may not be able to stand in ours
            # Few variables: a server has no business with our keys, and C keeps its messages in English.
            "env": {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | {"LC_ALL": "C"},
            "start_new_session": True,
            "preexec_fn": die_with_parent(self._signal),
        }
        if account is not None:
            how |= {"user": account.uid, "group": account.gid, "extra_groups": []}
        return how

    def _open_log(self) -> BinaryIO:
        if self.log.exists() and self.log.stat().st_size > _MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.old"))
        log = os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
        self._log_start = log.tell()
        return log

    def new_log(self) -> str:
        """What the program that was started last has written to the log."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read(_MAX_LOG_BYTES).decode(errors="replace")

    def _failure(self, what: str) -> str:
        lines = self.new_log().strip().splitlines() or ["it said nothing"]
        said = [line for line in lines if any(word in line for word in _ALARMS)] or lines
        return f"{self._title}: {what} ({said[-1].strip()}); read {self.log}, mend the cause and start again"
