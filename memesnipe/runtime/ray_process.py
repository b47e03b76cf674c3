"""The process that runs Ray for `memesnipe up`: started, supervised, ended with its descendants, and restarted."""

import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from memesnipe.config.home import STARTING, Home, installation_of, write_condition
from memesnipe.errors import MemeSnipeError
from memesnipe.servers.leftovers import MARK, STOP, end_leftovers
from memesnipe.telemetry.logs import Logger

_START_S: Final = 240.0  # for each step; at a load of 30 on 2 cores the slowest takes 90 s
_MAX_SILENCE_S: Final = 120.0
_STOP_S: Final = 60.0
_MAX_ATTEMPTS: Final = 10  # in a row, without `_STABLE_S` of work in between
_MAX_FIRST_ATTEMPTS: Final = 6
_STABLE_S: Final = 20.0
_MAX_BACKOFF_S: Final = 10.0
_PROGRAM: Final = (sys.executable, "-m", "actors.cluster")
# Ray reads it on import, so the process itself cannot set it in time.
_ENVIRONMENT: Final = {"RAY_DASHBOARD_STARTUP_TIMEOUT_S": "180"}


@dataclass
class RayProcess:
    """Supervisor of the process that runs Ray: it starts another when the process dies."""

    home: Path
    address: str | None  # of a cluster; None for a local one, which the process starts
    log: Logger
    detached: bool = False  # whether `up` was started with `--detach`
    survives: bool = False  # whether the system on the cluster continues when `up` is killed
    dashboard: str = ""
    ended: bool = False  # from another machine
    condition: str = ""  # why Ray is not ready, for the user; "" while it is
    messages: list[str] = field(default_factory=list)  # sentences that have not been shown yet

    _session: str = field(default_factory=lambda: f"{os.getpid()}-{time.time_ns()}")  # stays the same over restarts
    _run_id: int | None = None  # None until the servers run
    _process: "subprocess.Popen[bytes] | None" = None
    _pipe: int = -1
    _buffer: bytes = b""
    _startup_step: str = "Ray"
    _changed_at: float = 0.0  # when the current step, or readiness, began
    _received_at: float = 0.0
    _is_ready: bool = False
    _was_ready: bool = False  # ever
    _failures: int = 0  # in a row
    _next_start: float = 0.0
    _lost_at: float = 0.0

    @property
    def waiting_for(self) -> str:
        """Return the step that the start is waiting for."""
        return self._startup_step

    def start(self) -> None:
        """Start the process: it starts Ray, and waits for `begin`."""
        self._spawn()

    def begin(self, run_id: int) -> None:
        """Start the page and the actors of a run; the servers run, and the settings are resolved."""
        self._run_id = run_id
        self._send_run()

    def _send_run(self) -> None:
        if self._process is not None and self._process.stdin is not None and self._run_id is not None:
            with suppress(OSError):  # it has ended, which `watch` notices
                self._process.stdin.write(f"{self._run_id}\n".encode())
                self._process.stdin.flush()

    def watch(self, timeout_s: float) -> bool:
        """Supervise the process for up to ``timeout_s``, start it if it does not run; return whether it is ready.

        Raises:
            MemeSnipeError: it does not start, or does not restart, after several attempts.
        """
        if self._process is None:
            wait_s = self._next_start - time.monotonic()
            if wait_s > 0:
                time.sleep(min(wait_s, timeout_s))
            else:
                self._spawn()
            return False
        self._read_messages(timeout_s)
        reason = self._failure()
        if reason:
            self._record_failure(reason)
        return self._is_ready

    def _spawn(self) -> None:
        end_leftovers(installation_of(self.home))  # of a process that was killed
        read, write = os.pipe()
        environment = os.environ | _ENVIRONMENT | {MARK: installation_of(self.home)}
        command = [*_PROGRAM, str(self.home), self.address or "", str(write), self._session]
        command += [*(["detached"] if self.detached else []), *(["survives"] if self.survives else [])]
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, pass_fds=(write,), env=environment,
                start_new_session=True,  # Ctrl-C must reach this process alone
            )  # fmt: skip
        os.close(write)
        self._pipe, self._buffer, self._startup_step = read, b"", "Ray"
        self._changed_at = self._received_at = time.monotonic()
        self._send_run()
        if not self._was_ready:
            self._set_condition(f"{STARTING}Ray")

    def _set_condition(self, condition: str) -> None:
        self.condition = condition
        write_condition(self.home, condition)

    @property
    def _log_file(self) -> Path:
        return Home(self.home).ray_output

    def _read_messages(self, timeout_s: float) -> None:
        if not select.select([self._pipe], [], [], timeout_s)[0]:
            return
        data = os.read(self._pipe, 65_536)
        if not data:
            time.sleep(0.05)  # the process is about to end
            return
        self._received_at = time.monotonic()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._handle(orjson.loads(line))

    def _handle(self, message: dict[str, str]) -> None:
        if "doing" in message:
            self._startup_step, self._changed_at = message["doing"], self._received_at
            if not self._was_ready:
                write_condition(self.home, f"{STARTING}{self._startup_step}")
        if "refused" in message and self.address is not None and not self._was_ready:
            raise MemeSnipeError(message["refused"])
        if "lost" in message or "refused" in message:
            self._record_failure(message.get("lost") or message["refused"])
        elif "notice" in message:
            self.messages.append(message["notice"])
        elif "ended" in message:
            self.ended = True
            self.messages.append(f"The system stops: {message['ended']}.")
        elif "ready" in message:
            self._record_ready(message["ready"])

    def _record_ready(self, dashboard: str) -> None:
        now = time.monotonic()
        if self._was_ready:
            self.log.info("Ray has restarted", seconds=round(now - self._lost_at, 1))
            self.messages.append(f"Ray has restarted after {now - self._lost_at:.0f} s; the run continues.")
        self.dashboard = dashboard
        self._set_condition("")
        self._is_ready = self._was_ready = True
        self._changed_at = now

    def _failure(self) -> str:
        """Return why the process must be replaced; "" while it need not be."""
        if self._process is None or self.ended:
            return ""
        code, now = self._process.poll(), time.monotonic()
        if code is not None:
            return f"its process ended with {code}"
        if not self._is_ready and now - self._changed_at > _START_S:
            return f"{self._startup_step} was not ready within {_START_S:.0f} s"
        if self._is_ready and now - self._received_at > _MAX_SILENCE_S:
            return f"it has not reported for {_MAX_SILENCE_S:.0f} s"
        return ""

    def _record_failure(self, reason: str) -> None:
        """End the rest of the process, and schedule another start.

        Raises:
            MemeSnipeError: that was the last attempt.
        """
        now = time.monotonic()
        if self._is_ready:
            self._lost_at = now
            self._failures = self._failures if now - self._changed_at < _STABLE_S else 0
        self._failures += 1
        self._is_ready = False
        self.log.error("Ray is lost", reason=reason, attempt=self._failures)
        self._end()
        if self._failures >= (_MAX_ATTEMPTS if self._was_ready else _MAX_FIRST_ATTEMPTS):
            raise MemeSnipeError(
                f"Ray {'has not restarted' if self._was_ready else 'has not started'} after {self._failures} attempts: "
                f"{reason}; see {self._log_file}"
            )
        self._next_start = now + min(2.0 ** (self._failures - 1) - 1, _MAX_BACKOFF_S)
        failure = "died" if self._was_ready else "did not start"
        self._set_condition(f"Ray {failure}: {reason}. It is being restarted (attempt {self._failures})")
        self.messages.append(f"{self.condition}; trading is paused.")

    def _end(self) -> None:
        """Kill the process and all of its descendants."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None  # noqa: S101 - it is a pipe
            with suppress(OSError):  # a line that was never read
                process.stdin.close()
            os.close(self._pipe)
        end_leftovers(installation_of(self.home), process.pid if process is not None else 0)

    def stop(self) -> None:
        """Stop the process in order, then kill what remains; a process that is still starting is killed."""
        if self._is_ready and self._process is not None and self._process.stdin is not None:
            with suppress(OSError):  # it has ended
                self._process.stdin.write(STOP)
                self._process.stdin.close()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.log.warning("Ray did not stop in time")
        self._end()
        self.condition = ""  # its file says what the whole system is doing
