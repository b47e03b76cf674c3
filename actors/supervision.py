"""The supervisor as the driver of its cluster uses it: started or found again, checked, and stopped."""

import time
from pathlib import Path
from typing import Any, Final

import ray

from actors.host import STOP_S
from actors.supervisor import NAME, Listen, Supervisor, kill, placement, read_checkpoint
from memesnipe.config.home import Home
from memesnipe.errors import first_line
from memesnipe.telemetry.logs import open_log

_RESPONSE_S: Final = 60.0  # without a response the supervisor is replaced; at a load of 30 it takes some seconds


class Supervision:
    """The supervisor of this process's cluster, as its driver uses it: start, check, stop."""

    def __init__(
        self,
        home: Path,
        session: str,
        run_id: int,
        metrics: dict[str, Listen],
        *,
        detached: bool,
        shared: bool,
        arenas: int = 0,
    ) -> None:
        """Start the supervisor, or find it again; end that of an earlier `memesnipe up` of this installation.

        Args:
            home: folder of the installation.
            session: of the calling `memesnipe up`.
            run_id: number of the run.
            metrics: port and address of the Prometheus metrics, by actor.
            detached: whether the supervisor outlives this process.
            shared: whether the cluster does, in which case actors without an owner would remain.
            arenas: how many arenas of the run have processes of their own.
        """
        self._log = open_log(Home(home).logs, "cluster", "INFO")
        self.notices: list[str] = []  # sentences about actors that were not shown yet
        before = read_checkpoint(home)
        if before is None or before.session != session:
            kill(NAME)
        options: dict[str, Any] = {"name": NAME, "get_if_exists": True, **placement()}
        if detached:
            options["lifetime"] = "detached"
        supervisor: Any = Supervisor
        self._supervisor = supervisor.options(**options).remote(
            str(home), session, run_id, metrics, keep_actors=detached or not shared, arenas=arenas
        )
        self._ping()

    def _ping(self) -> None:
        self._pinged_at, self._response = time.monotonic(), self._supervisor.ping.remote()

    def check(self, timeout_s: float) -> bool:
        """Wait for the supervisor's response for up to ``timeout_s``; restart it when it does not respond for 60 s.

        Returns:
            Whether the system has been ended from elsewhere.

        Raises:
            ActorDiedError: Ray does not restart it.
        """
        if not ray.wait([self._response], timeout=timeout_s)[0]:
            if time.monotonic() - self._pinged_at > _RESPONSE_S:
                self._log.error("supervisor does not respond; it is restarted")
                ray.kill(self._supervisor, no_restart=False)
                self._ping()
            return False
        try:
            has_ended, notices = ray.get(self._response)
            self.notices += notices
            if has_ended:
                return True
            time.sleep(timeout_s)
        except ray.exceptions.ActorDiedError:
            raise
        except ray.exceptions.RayError as error:
            self._log.warning("supervisor is being restarted", error=first_line(error))
        self._ping()
        return False

    def stop(self) -> None:
        """Stop the actors, then the supervisor."""
        try:
            ray.get(self._supervisor.stop.remote(), timeout=2 * STOP_S)
        except ray.exceptions.RayError as error:
            self._log.warning("supervisor did not stop the actors", error=first_line(error))
        ray.kill(self._supervisor)
