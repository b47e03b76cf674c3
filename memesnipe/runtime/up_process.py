"""`memesnipe up` as a child process in a folder of its own, started and stopped like by a user."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from memesnipe.errors import MemeSnipeError
from memesnipe.servers.child import die_with_parent

_COMMAND: Final = (sys.executable, "-m", "memesnipe")
_STOP_S: Final = 90.0


class UpProcess:
    """One `memesnipe up`, with its report in the file `stdout` and its messages in `stderr`.

    Args:
        folder: working directory.
        environment: of the process, with `MEMESNIPE_HOME`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._process: subprocess.Popen[bytes] | None = None
        self.messages = folder / "stderr"

    def start(self, *arguments: str) -> None:
        """Start it without waiting; it ends with this process."""
        with (self._folder / "stdout").open("wb") as out, self.messages.open("wb") as err:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*_COMMAND, "up", *arguments, "--json"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - only a system call
            )

    @property
    def exit_code(self) -> int | None:
        """Return its exit code; None while it runs, or before its start."""
        return None if self._process is None else self._process.poll()

    def stop(self) -> None:
        """Interrupt it as Ctrl-C does, and kill it after a timeout; nothing if it does not run."""
        if self._process is not None:
            _end(self._process)

    def report(self) -> dict[str, Any]:
        """Return the report that it printed at its end.

        Raises:
            MemeSnipeError: it has printed none.
        """
        try:
            return dict(orjson.loads((self._folder / "stdout").read_bytes()))
        except ValueError:
            raise MemeSnipeError(f"the system has printed no report: {self.last_message()}") from None

    def last_message(self) -> str:
        """Return the last line of its messages."""
        return last_line(self.messages.read_bytes())

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run another command in this folder to its end; whatever interrupts the wait ends it in order."""
        with subprocess.Popen(  # noqa: S603 - our own command
            [*_COMMAND, *arguments],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C must reach this process alone
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - only a system call
        ) as process:
            try:
                out, messages = process.communicate()
            except BaseException:
                _end(process)
                raise
        return subprocess.CompletedProcess(arguments, process.returncode, out, messages)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt a process as Ctrl-C does, and wait until it has ended; kill it after a timeout."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_line(output: bytes) -> str:
    """Return the last line of an output, for the message of an error."""
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "without a message"
