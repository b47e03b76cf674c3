"""The loop that all actors have in common: open the role, step, and after an error back off and open it again.

It imports no Ray, so tests can run it in a thread.
"""

import os
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec.structs import replace

from memesnipe.config.home import Home
from memesnipe.errors import first_line
from memesnipe.protocol.heartbeat import Heartbeat
from memesnipe.roles.activity import RECOVERING, WAITING, ActivityTracker
from memesnipe.telemetry.logs import open_log, without_secrets

if TYPE_CHECKING:  # loaded in the actor's process alone
    from memesnipe.roles.context import Context
    from memesnipe.telemetry.metrics import ActorMetrics

# One thread runs the loop, the others serve calls. Ray retries no call: recovery follows from the journal alone.
ACTOR_OPTIONS: Final[dict[str, Any]] = {
    "num_cpus": 0,
    "max_restarts": -1,
    "max_task_retries": 0,
    "max_concurrency": 4,
}
STOP_S: Final = 15.0

_BEAT_S: Final = 1.0
_MAX_BACKOFF_S: Final = 5.0
_STABLE_S: Final = 30.0  # of work, after which the back-off begins from the start


class Role(Protocol):
    """The work of an actor, without Ray; see `memesnipe.roles`."""

    @property
    def seq(self) -> int:
        """Return the last event that it has applied."""

    def open(self) -> None:
        """Recover the state of the last commit."""

    def step(self) -> None:
        """Read and handle the next entries."""

    def close(self) -> None:
        """Close all connections."""


class Host:
    """Run the role of one actor; a subclass names the role and makes it.

    Args:
        home: folder of the installation.
        run_id: number of the run.
        metrics_port: port of its Prometheus metrics; 0 for any free port.
        metrics_address: address that this port listens on.
    """

    name: str

    def __init__(self, home: str, run_id: int, metrics_port: int = 0, metrics_address: str = "127.0.0.1") -> None:
        # Nothing here can fail: Ray does not restart an actor again after its constructor has failed in a restart.
        self._home, self._run_id, self._metrics_port = Path(home), run_id, metrics_port
        self._metrics_address = metrics_address
        self._stop = threading.Event()
        self._loop = threading.Lock()
        self._is_open = threading.Event()  # also at the end, which nobody waits for
        self._activity = ActivityTracker()
        self._heartbeat = Heartbeat(state="starting", pid=os.getpid())
        self._context: Context | None = None  # of the open role

    def make_role(self, context: "Context", metrics: "ActorMetrics") -> Role:
        """Return the role over its connections."""
        raise NotImplementedError

    def measure(self, metrics: "ActorMetrics") -> None:
        """Record metrics beside the work, in a thread, until `stop`; nothing by default."""

    def run(self) -> str:
        """Run the loop until `stop` is called; return the actor's name.

        A second call while the loop runs waits for it, and returns after 15 s without starting another: the caller
        may have lost the first call, and two loops would take the lease from each other.
        """
        if not self._loop.acquire(timeout=STOP_S):
            return self.name
        try:
            self._run()
        finally:
            self._loop.release()
        return self.name

    def stop(self) -> None:
        """Make `run` return after the current step."""
        self._stop.set()
        self._is_open.set()

    def wait_until_open(self) -> None:
        """Return once the role has recovered and works."""
        self._is_open.wait()

    def _run(self) -> None:
        from memesnipe.telemetry.metrics import ActorMetrics  # noqa: PLC0415

        metrics = ActorMetrics(self.name)
        metrics.watch_process(self._home)
        self._update(metrics_port=metrics.serve(self._metrics_port, self._metrics_address))
        self._activity.open(Home(self._home).run(self._run_id).activity(self.name))
        threading.Thread(target=self._beat, daemon=True).start()
        threading.Thread(target=self.measure, args=(metrics,), daemon=True).start()
        failures = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._work(metrics)
            except Exception as error:  # noqa: BLE001 - the role recovers from the journal after every error
                failures = 1 if time.monotonic() - began > _STABLE_S else failures + 1
                from memesnipe.roles.role_metrics import cause_of  # noqa: PLC0415

                metrics.add("failures", cause=cause_of(error))
                self._update(state="recovering", detail=without_secrets(first_line(error)))
                open_log(Home(self._home).logs, self.name, "INFO").error("recovering", exc_info=error)
                self._stop.wait(min(0.1 * 2**failures, _MAX_BACKOFF_S))
        self._update(state="finished", detail="")

    def _work(self, metrics: "ActorMetrics") -> None:
        """Open the role and step until `stop` or an error."""
        from memesnipe.roles.context import Context  # noqa: PLC0415

        self._activity.begin(RECOVERING)
        context = Context(
            self._home, self._run_id, self._activity, on_statement=partial(metrics.observe, "database_seconds")
        )
        role: Role | None = None
        try:
            self._context = context
            role = self.make_role(context, metrics)
            role.open()
            self._is_open.set()
            while not self._stop.is_set():
                self._activity.begin(WAITING)
                self._update(state="running", detail="", seq=role.seq)
                role.step()
        finally:
            self._activity.begin(RECOVERING)  # the step has ended, with or without an error
            self._context = None
            (role or context).close()

    def _update(self, **changes: Any) -> None:
        """Replace fields of the heartbeat at once, for the thread that writes it."""
        self._heartbeat = replace(self._heartbeat, **changes)

    def _beat(self) -> None:
        """Write the heartbeat to Redis every second, except while Redis does not respond."""
        from memesnipe.roles.context import Context  # noqa: PLC0415
        from memesnipe.roles.reload import Reload  # noqa: PLC0415

        log = open_log(Home(self._home).logs, f"{self.name}_heartbeat", "INFO")
        reload = Reload(Home(self._home).settings, log)
        while not self._stop.is_set():
            context = Context(self._home, self._run_id)
            try:
                while not self._stop.wait(_BEAT_S):
                    heartbeat = self._heartbeat
                    if heartbeat.state == "running" and (slow := self._activity.slow_state()):
                        heartbeat = replace(heartbeat, state=slow.state, detail=slow.detail)
                    context.bus.beat(self.name, heartbeat)
                    reload.poll(self._context)
            except Exception as error:  # noqa: BLE001 - health reports an actor without a heartbeat
                log.warning("no heartbeat", error=first_line(error))
            finally:
                context.close()
