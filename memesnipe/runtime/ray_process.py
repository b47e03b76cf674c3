"""Ray as `memesnipe up` sees it: a process that it starts, watches, ends with all that is of it, and starts again."""

import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from memesnipe.config.home import installation_of, write_condition
from memesnipe.errors import MemeSnipeError
from memesnipe.servers.leftovers import MARK, end_leftovers
from memesnipe.telemetry.logs import Logger

_START_S: Final = 240.0  # for each part; at a load of 30 on 2 cores the slowest takes 90 s
_SILENT_S: Final = 120.0
_STOP_S: Final = 60.0
_ATTEMPTS: Final = 10  # one after the other without a good stretch in between
_FIRST_ATTEMPTS: Final = 6
_GOOD_S: Final = 20.0
_MAX_BACKOFF_S: Final = 10.0
_PROGRAM: Final = (sys.executable, "-m", "actors.cluster")
# Read when Ray is imported, so it is too late for that in the process itself.
_ENVIRONMENT: Final = {"RAY_DASHBOARD_STARTUP_TIMEOUT_S": "180"}


@dataclass
class RayProcess:
    """The process that holds Ray, or the next one when it has died."""

    home: Path
    run_id: int
    is_local: bool  # whether Ray's processes are all of our own
    log: Logger
    dashboard: str = ""
    condition: str = ""  # what it waits for, in words; "" while all is well
    news: list[str] = field(default_factory=list)  # sentences that nobody has been told yet

    _process: "subprocess.Popen[bytes] | None" = None
    _pipe: int = -1
    _buffer: bytes = b""
    _doing: str = "Ray"
    _changed_at: float = 0.0  # since when it is starting, or ready
    _heard_at: float = 0.0
    _is_ready: bool = False
    _was_ready: bool = False  # ever
    _failures: int = 0  # one after the other
    _next_start: float = 0.0
    _lost_at: float = 0.0

    @property
    def waiting_for(self) -> str:
        """What a start that is under way waits for."""
        return self._doing

    def watch(self, timeout_s: float) -> bool:
        """Look after it for a while, start it where it does not run; whether it is ready.

        Raises:
            MemeSnipeError: it does not start, or does not come back.
        """
        if self._process is None:
            left = self._next_start - time.monotonic()
            if left > 0:
                time.sleep(min(left, timeout_s))
            else:
                self._spawn()
            return False
        self._hear(timeout_s)
        reason = self._failure()
        if reason:
            self._failed(reason)
        return self._is_ready

    def _spawn(self) -> None:
        end_leftovers(installation_of(self.home))  # of a process that was killed
        read, write = os.pipe()
        environment = os.environ | _ENVIRONMENT | {MARK: installation_of(self.home)}
        command = [*_PROGRAM, str(self.home), str(self.run_id), str(write)]
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, pass_fds=(write,), env=environment,
                start_new_session=True,  # Ctrl-C is for us alone
            )  # fmt: skip
        os.close(write)
        self._pipe, self._buffer, self._doing = read, b"", "Ray"
        self._changed_at = self._heard_at = time.monotonic()
        if not self._was_ready:
            self._wait_for("Ray is starting")

    def _wait_for(self, condition: str) -> None:
        self.condition = condition
        write_condition(self.home, condition)

    @property
    def _log_file(self) -> Path:
        return self.home / "logs" / "ray.out"

    def _hear(self, timeout_s: float) -> None:
        if not select.select([self._pipe], [], [], timeout_s)[0]:
            return
        said = os.read(self._pipe, 65_536)
        if not said:
            time.sleep(0.05)  # it is about to end
            return
        self._heard_at = time.monotonic()
        *lines, self._buffer = (self._buffer + said).split(b"\n")
        for line in lines:
            self._take(orjson.loads(line))

    def _take(self, message: dict[str, str]) -> None:
        if "doing" in message:
            self._doing, self._changed_at = message["doing"], self._heard_at
        if "refused" in message and not (self.is_local or self._was_ready):
            raise MemeSnipeError(message["refused"])
        if "lost" in message or "refused" in message:
            self._failed(message.get("lost") or message["refused"])
        elif "ready" in message:
            self._ready(message["ready"])

    def _ready(self, dashboard: str) -> None:
        now = time.monotonic()
        if self._was_ready:
            self.log.info("Ray is back", seconds=round(now - self._lost_at, 1))
            self.news.append(f"Ray is back after {now - self._lost_at:.0f} s; the run goes on.")
        self.dashboard = dashboard
        self._wait_for("")
        self._is_ready = self._was_ready = True
        self._changed_at = now

    def _failure(self) -> str:
        """Why the process is of no use any more, or "" while it is."""
        if self._process is None:
            return ""
        code, now = self._process.poll(), time.monotonic()
        if code is not None:
            return f"its process ended with {code}"
        if not self._is_ready and now - self._changed_at > _START_S:
            return f"{self._doing} was not ready within {_START_S:.0f} s"
        if self._is_ready and now - self._heard_at > _SILENT_S:
            return f"it has said nothing for {_SILENT_S:.0f} s"
        return ""

    def _failed(self, reason: str) -> None:
        """End what is left of it, and plan another start."""
        now = time.monotonic()
        if self._is_ready:
            self._lost_at = now
            self._failures = self._failures if now - self._changed_at < _GOOD_S else 0
        self._failures += 1
        self._is_ready = False
        self.log.error("Ray is lost", reason=reason, attempt=self._failures)
        self._end()
        if self._failures >= (_ATTEMPTS if self._was_ready else _FIRST_ATTEMPTS):
            raise MemeSnipeError(
                f"Ray {'does not come back' if self._was_ready else 'does not start'} after {self._failures} attempts: "
                f"{reason}; see {self._log_file}"
            )
        self._next_start = now + min(2.0 ** (self._failures - 1) - 1, _MAX_BACKOFF_S)
        what = "died" if self._was_ready else "did not start"
        self._wait_for(f"Ray {what}: {reason}. It is being started again (attempt {self._failures})")
        self.news.append(f"{self.condition}; trading waits for it.")

    def _end(self) -> None:
        """Kill the process and everything of ours that belongs to it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None  # noqa: S101 - it is a pipe
            process.stdin.close()
            os.close(self._pipe)
        end_leftovers(installation_of(self.home), process.pid if process is not None else 0)

    def stop(self) -> None:
        """Let it stop everything in order, and end what does not; one that is still starting has nothing to stop."""
        if self._is_ready and self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()  # tells it
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.log.warning("Ray did not stop in time")
        self._end()
        self._wait_for("")
