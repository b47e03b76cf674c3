"""The process that holds Ray for `memesnipe up`: starts the cluster, the page and the actors, and reports their state.

Ray cannot be started again in a process in which a part of it has died: calls hang, and its own code may end the
process. So `up` runs this module in a separate process, and replaces that process and its descendants after a failure.

`up` writes two lines to the standard input of this process: the number of the run, once the servers run and the
settings are resolved, and at the end `stop`.

The process writes one JSON object per line to a pipe: `{"doing": ...}` while it starts, `{"ready": address of Ray's
dashboard}`, then `{}` about every second, `{"notice": sentence for the user}`, `{"lost": ...}` when a part of Ray has
died, `{"ended": ...}` when the system was ended from another machine, and `{"refused": ...}` when a user's setting is
wrong. It stops when its standard input ends, which also happens when `up` is killed; then a detached system on a
cluster with servers of its own continues.
"""

import memesnipe.garbage  # noqa: F401, I001 - first: it makes loading the others faster

import os
import queue
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import orjson
import psutil

from actors import supervisor
from actors.connection import START_S, connect_ray, disconnect_ray, start_dashboard
from actors.supervision import Supervision
from memesnipe.config.home import Home, installation_of
from memesnipe.config.settings import Settings, read_resolved
from memesnipe.errors import MemeSnipeError, first_line
from memesnipe.servers.compiler import COMPILER, is_compiling
from memesnipe.servers.leftovers import STOP, end_leftovers
from memesnipe.telemetry.logs import open_log, start_copy, without_secrets

_WATCH_S: Final = 0.25
_POLL_S: Final = 0.1
_STOP_S: Final = 45.0
_FAILED: Final = 1
_ENDED: Final = "it was ended by `memesnipe down --address`"
_ESSENTIAL: Final = {"gcs_server": "its control service", "raylet": "its node manager"}


@dataclass(frozen=True, slots=True)
class Start:
    """The arguments of this process."""

    home: Path
    address: str  # of a cluster; "" starts one here
    pipe: int
    session: str  # of the `memesnipe up` that has started this process
    detached: bool
    survives: bool  # whether the system continues on its cluster when `up` is killed

    @classmethod
    def parse(cls, arguments: list[str]) -> Self:
        """Read HOME ADDRESS FILE_DESCRIPTOR SESSION [detached] [survives]."""
        home, address, pipe, session, *options = arguments
        return cls(Path(home), address, int(pipe), session, "detached" in options, "survives" in options)


class Guard:
    """Watches Ray in a separate thread, because calls of Ray may hang when a part of Ray has died."""

    def __init__(self, installation: str, pipe: int, survives: bool = False) -> None:
        self._installation, self._pipe, self._survives = installation, pipe, survives
        self._lock = threading.Lock()
        self._parts: list[psutil.Process] = []
        self._ready = False
        self._run_id: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.stopping = threading.Event()
        threading.Thread(target=self._read_input, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def report(self, **message: str) -> None:
        """Write a message to the pipe; if it has no reader any more, stop this process, or leave what survives it."""
        with self._lock:
            try:
                os.write(self._pipe, orjson.dumps(message) + b"\n")
            except OSError:
                self._leave()
                self.stopping.set()

    def _leave(self) -> None:
        """End this process where the cluster continues without `up`; otherwise do nothing."""
        if self._ready and self._survives:
            self.end(0)

    def ready(self, dashboard: str) -> None:
        """Report that the start is complete. From then on the caller handles a request to stop."""
        self._ready = True
        self.report(ready=dashboard)

    def watch_parts(self) -> None:
        """Watch the essential processes of Ray that this process has started."""
        self._parts = [child for child in psutil.Process().children() if child.name() in _ESSENTIAL]

    def _watch(self) -> None:
        while not self.stopping.wait(_POLL_S):
            for part in self._parts:
                if not part.is_running() or part.status() == psutil.STATUS_ZOMBIE:
                    self.report(lost=f"{part.name()} ({_ESSENTIAL[part.name()]}) has ended")
                    self.end(_FAILED)

    def wait_for_run(self) -> int:
        """Return the number of the run, once the servers run and the settings are resolved."""
        while True:
            with suppress(queue.Empty):
                return self._run_id.get(timeout=1.0)
            self.report()

    def _read_input(self) -> None:
        if line := os.read(0, 1024):
            self._run_id.put(int(line))
        last = b""
        while line and (read := os.read(0, 1024)):
            last = read
        if not last.endswith(STOP):
            self._leave()
        was_ready = self._ready
        self.stopping.set()
        if was_ready:
            time.sleep(_STOP_S)
        self.end(0)

    def end(self, code: int) -> None:
        """End this process and all processes of its Ray; `ray.shutdown` may hang, or leave processes for a minute."""
        end_leftovers(self._installation)
        os._exit(code)


def run(start: Start, guard: Guard) -> None:
    """Start everything, and supervise it until `up` closes the pipe."""
    home = start.home
    guard.report(doing="Ray")
    address = start.address or None
    dashboard = connect_ray(address, home, supervisor.NAMESPACE.format(installation_of(home)), attempts=1)
    guard.watch_parts()
    guard.report(doing="the servers")
    run_id = guard.wait_for_run()
    settings = read_resolved(Home(home).settings)
    start_copy(settings.telemetry.log_copy, open_log(Home(home).logs, "cluster", settings.telemetry.log_level))
    guard.report(doing="the dashboard")
    from ray.serve._private import api  # noqa: PLC0415 - Serve is loaded while Ray's workers start

    import serve_app  # noqa: PLC0415

    api.HTTP_PROXY_TIMEOUT = START_S  # type: ignore[attr-defined] # a constant of 60 s
    serve_app.deploy_page(home, settings.api.dashboard_port, settings.api.dashboard_address)
    while is_compiling(Home(home).compile_lock) and not guard.stopping.wait(_WATCH_S):
        guard.report(doing=COMPILER)
    guard.report(doing="the actors")
    telemetry = settings.telemetry
    listens: dict[str, supervisor.Listen] = {
        role: (getattr(telemetry, f"{role}_metrics_port"), telemetry.metrics_address) for role in supervisor.ACTORS
    }
    supervision = Supervision(
        home,
        start.session,
        run_id,
        listens,
        detached=start.detached,
        shared=address is not None,
        arenas=settings.simulation.arena_shards if settings.simulation.arena_shards > 1 else 0,
    )
    serve_app.deploy_others(home)
    if address is None and settings.servers.ray_dashboard:
        guard.report(doing="the dashboard of Ray")
        dashboard = start_dashboard()
    guard.ready(dashboard)
    while not guard.stopping.is_set():
        if supervision.check(_WATCH_S):
            guard.report(ended=_ENDED)
            break
        notices, supervision.notices = supervision.notices, []
        for sentence in notices:
            guard.report(notice=sentence)
        guard.report()
    _stop(supervision, settings)


def _stop(supervision: Supervision, settings: Settings) -> None:
    import serve_app  # noqa: PLC0415 - as above

    supervision.stop()
    if settings.servers.ray_address:  # a local cluster ends together with its actors
        serve_app.undeploy()
    disconnect_ray()


def main(arguments: list[str]) -> None:
    """Run for an installation, and write the state to a pipe; see `Start.parse` for the arguments."""
    start = Start.parse(arguments)
    os.set_inheritable(start.pipe, False)  # Ray's processes must not hold it open
    guard = Guard(installation_of(start.home), start.pipe, start.survives)
    try:
        run(start, guard)
    except Exception as error:  # noqa: BLE001 - `up` decides whether to try again
        reason: Any = without_secrets(first_line(error))
        open_log(Home(start.home).logs, "cluster", "INFO").error("cluster process failed", exc_info=error)
        guard.report(**{"refused" if isinstance(error, MemeSnipeError) else "lost": reason})
        guard.end(_FAILED)


if __name__ == "__main__":
    main(sys.argv[1:])
