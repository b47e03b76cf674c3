"""Health: the state of each part of the system, and the overall status."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import redis
from sqlalchemy import Engine, text

import memesnipe
from memesnipe.api.background_check import BackgroundCheck
from memesnipe.api.progress import Progress
from memesnipe.errors import first_line
from memesnipe.protocol.heartbeat import ACTORS, ARENAS, HEARTBEAT_KEY, decode_heartbeat
from memesnipe.storage.run_progress import RunProgress, read_run_progress

_TIMEOUT_S = 2.0
FINE = ("up", "healthy", "running", "quiet", "breeding", "finished")
_WITH_DETAIL = ("stalled", "waiting", "rejected")  # states whose detail is part of the summary
STARTING = "starting"
_NO_HEARTBEAT = {"state": "down", "detail": "no heartbeat"}


@dataclass(frozen=True, slots=True)
class Health:
    """The overall status with its reasons, and the state of each part."""

    status: str  # healthy | starting | degraded | unhealthy
    detail: str
    parts: dict[str, dict[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """Return the health as JSON values."""
        return {
            "status": self.status,
            "version": memesnipe.__version__,
            "detail": self.detail,
            "parts": self.parts,
        }


def one_line(error: BaseException, secret: str | None) -> str:
    """Return the first line of an error, without the SQL statement that SQLAlchemy adds and without the secret."""
    line = first_line(error)
    return line.replace(secret, "***") if secret else line


class HealthCheck:
    """Check all parts concurrently, each for at most two seconds.

    Args:
        database: PostgreSQL.
        redis_client: Redis.
        signer_is_healthy: the check of the signer.
        starting_s: time for the actors and the signer to start, in which they are `starting` instead of `down`.
    """

    def __init__(
        self,
        database: Engine,
        redis_client: redis.Redis,
        signer_is_healthy: Callable[[], bool],
        starting_s: float = 0.0,
    ) -> None:
        self._starting_until = time.monotonic() + starting_s
        self._started: set[str] = set()
        self._has_started = False
        self._database = database
        self._redis = redis_client
        self._postgres_check = BackgroundCheck(self._run_progress)
        self._redis_check = BackgroundCheck(self._heartbeats)
        self._signer_check = BackgroundCheck(signer_is_healthy)
        self._progress = Progress()

    def __call__(self) -> Health:
        """Return the current health."""
        deadline = time.monotonic() + _TIMEOUT_S
        postgres, heartbeats = self._postgres_check.submit(), self._redis_check.submit()
        signer = self._signer_check.submit()
        parts = {
            "postgres": self._part(postgres, deadline, "up"),
            "redis": self._part(heartbeats, deadline, "up"),
            "signer": self._part(signer, deadline, "healthy"),
        }
        if parts["signer"]["state"] == "healthy" and not signer.result():
            parts["signer"] = {"state": "unhealthy", "detail": "the signer does not report that it is healthy"}
        now = postgres.result() if parts["postgres"]["state"] == "up" else None
        actors = (*ACTORS, *ARENAS[: now.arenas if now is not None else 0])
        if parts["redis"]["state"] == "up":
            read = dict(zip((*ACTORS, *ARENAS), heartbeats.result(), strict=True))
            parts |= {actor: _read(read[actor]) for actor in actors}
        else:
            unknown = {"state": "unknown", "detail": "its heartbeat is in Redis"}
            parts |= {actor: dict(unknown) for actor in actors}
        self._mark_starting(parts, actors)
        health = _overall_status({**parts, **self._progress.parts(now)}, has_run=now is not None)
        self._has_started |= health.status == "healthy"
        if health.status == STARTING and self._has_started:  # an actor that has died is replaced
            return replace(health, status="degraded")
        return health

    def _mark_starting(self, parts: dict[str, dict[str, str]], actors: tuple[str, ...]) -> None:
        """Report actors and the signer as `starting` until they have responded once, for a limited time."""
        is_start = time.monotonic() < self._starting_until
        for name in ("signer", *actors):
            if parts[name]["state"] not in ("down", "unhealthy", "unknown"):
                self._started.add(name)
            elif is_start and name not in self._started and parts[name]["state"] != "unknown":
                parts[name] = {"state": STARTING, "detail": ""}

    def _run_progress(self) -> RunProgress | None:
        with self._database.connect() as connection:
            connection.execute(text(f"SET LOCAL statement_timeout = {int(_TIMEOUT_S * 1000)}"))
            return read_run_progress(connection)

    def _heartbeats(self) -> list[bytes | str | None]:
        self._redis.ping()
        found: Any = self._redis.mget([HEARTBEAT_KEY.format(actor) for actor in (*ACTORS, *ARENAS)])
        return list(found)

    def _part(self, result: Future[Any], deadline: float, fine: str) -> dict[str, str]:
        try:
            error = result.exception(timeout=max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return {"state": "down", "detail": f"no response within {_TIMEOUT_S:.0f} s"}
        if error is None:
            return {"state": fine, "detail": ""}
        return {"state": "down", "detail": one_line(error, self._database.url.password)}


def _read(raw: bytes | str | None) -> dict[str, str]:
    """Return an actor's part, from its heartbeat."""
    if raw is None:
        return dict(_NO_HEARTBEAT)
    heartbeat = decode_heartbeat(raw)
    if heartbeat is None:
        return {"state": "down", "detail": "its heartbeat cannot be read"}
    return {"state": heartbeat.state, "detail": heartbeat.detail}


def _summary(name: str, part: dict[str, str]) -> str:
    """Return a part's state, with its detail if that delays trading; other details are shown with their part."""
    return f"{name} is {part['state']}" + (f" ({part['detail']})" if part["state"] in _WITH_DETAIL else "")


def _overall_status(parts: dict[str, dict[str, str]], *, has_run: bool) -> Health:
    bad = [_summary(name, part) for name, part in parts.items() if part["state"] not in FINE]
    starting = [name for name, part in parts.items() if part["state"] == STARTING]
    if starting and all(part["state"] in (*FINE, STARTING) for name, part in parts.items() if name != "progress"):
        return Health(STARTING, f"waits for {', '.join(starting)}", parts)  # there is no progress before
    if "down" in (parts["postgres"]["state"], parts["redis"]["state"]):
        return Health("unhealthy", ", ".join(bad) + "; trading is paused", parts)
    if not has_run:
        return Health("degraded", ", ".join(["no run has started yet", *bad]), parts)
    return Health("degraded" if bad else "healthy", ", ".join(bad), parts)
