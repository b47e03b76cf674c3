"""The targets of `memesnipe chaos`: the processes of one installation, and their activities."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson
import psutil
import redis

from memesnipe.config.home import Home, installation_of
from memesnipe.protocol.streams import ACTORS, ARENAS, PROGRESS
from memesnipe.roles.activity import COMMITTING, PUBLISHING, WAITING, read_activity
from memesnipe.servers.leftovers import is_of_ray
from memesnipe.servers.process import read_pid
from memesnipe.servers.redis import operator_url

REDIS, REDIS_EMPTIED, POSTGRES, SERVE = "redis", "redis emptied", "postgres", "serve controller"

# Marks of Ray's processes in their command lines.
RAY: Final = {
    SERVE: "ray::ServeController",
    "ray gcs_server": "/gcs_server",
    "ray raylet": "/raylet/raylet",
    "ray dashboard agent": "ray::DashboardAgent",
    "ray runtime-env agent": "ray::RuntimeEnvAgent",
}
_SERVERS: Final = (REDIS, REDIS_EMPTIED, POSTGRES, *RAY)
TARGETS: Final = (*ACTORS, *_SERVERS)  # of a run whose executor has the only arena
ALL_ACTORS: Final = (*ACTORS, *ARENAS)

_ENDED: Final = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)

# A server counts as busy while an actor has this activity, which uses the server.
_USE: Final = {REDIS: PUBLISHING, REDIS_EMPTIED: PUBLISHING, POSTGRES: COMMITTING}
_RUN: Final = 1  # id of the only run of a fresh installation
_SIGNAL_S: Final = 1.0


def targets_of(arenas: int) -> tuple[str, ...]:
    """Return the targets of a run in which so many arenas have processes of their own."""
    return (*ACTORS, *ARENAS[:arenas], *_SERVERS)


class Targets:
    """The processes of the installation in one home folder."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._installation = installation_of(home)
        self._killed: set[int] = set()  # their activity files still exist
        self._client: redis.Redis | None = None
        self._kills: dict[str, Callable[[], bool]] = {
            REDIS: self._kill_redis,
            REDIS_EMPTIED: self._empty_redis,
            POSTGRES: lambda: self._kill(read_pid(Home(self._home).postgres_pid)),
        } | {target: partial(self._kill_ray, target) for target in RAY}

    def seq(self) -> int:
        """Return the last event published in the executor's progress; 0 if it cannot be read."""
        try:
            last: Any = self._redis().xrevrange(PROGRESS, count=1)
        except (redis.RedisError, OSError, ValueError):  # Redis may be the target killed last
            self._client = None
            return 0
        return int(last[0][1][b"seq"]) if last else 0

    def activity_of(self, target: str) -> str:
        """Return the activity of a target; "" without a process."""
        if target in ALL_ACTORS:
            pid, activity = self._activity(target)
            return "" if pid in self._killed else activity
        use = _USE.get(target)
        return use if use in {self._activity(actor)[1] for actor in ACTORS} else WAITING

    def stop_at(self, target: str, aim: str) -> bool:
        """Return whether a target is at the activity ``aim``; if so, an actor is stopped there until it is killed.

        The actor may continue before it is killed, so it is stopped first and its activity is read again.
        """
        if self.activity_of(target) != aim:
            return False
        if target not in ALL_ACTORS:
            return True
        pid, _ = self._activity(target)
        if not self._is_ours(pid):
            return False
        try:
            os.kill(pid, signal.SIGSTOP)
            _wait_for_state(pid, psutil.STATUS_STOPPED, *_ENDED)
            if self._activity(target) == (pid, aim):
                return True
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass  # it ended in the meantime
        return False

    def kill(self, target: str) -> str:
        """Kill one of `targets_of` with SIGKILL; return its activity, or "" if there was no process to kill."""
        if target not in ALL_ACTORS:
            activity = self.activity_of(target)
            return activity if self._kills[target]() else ""
        pid, _ = self._activity(target)
        if not self._is_ours(pid) or not self._kill(pid):
            return ""
        _wait_for_state(pid, *_ENDED)
        last_pid, last = self._activity(target)  # its last activity
        return last if last_pid == pid else WAITING

    def _activity(self, actor: str) -> tuple[int, str]:
        return read_activity(Home(self._home).run(_RUN).activity(actor))

    def _is_ours(self, pid: int, name: str = "ray::") -> bool:
        """Check that a process belongs to this installation, because process ids are reused."""
        try:
            has_name = name in " ".join(psutil.Process(pid).cmdline())
        except psutil.Error:
            return False
        return has_name and is_of_ray(pid, self._installation)

    def _kill(self, pid: int | None) -> bool:
        if pid is None or pid in self._killed:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self._killed.add(pid)
        return True

    def _kill_redis(self) -> bool:
        return self._kill(read_pid(Home(self._home).redis_pid))

    def _empty_redis(self) -> bool:
        """Delete all data of Redis, then kill it."""
        try:
            self._redis().flushall()
        except (redis.RedisError, OSError, ValueError):
            self._client = None
            return False
        return self._kill_redis()

    def _kill_ray(self, target: str) -> bool:
        """Kill a process of this installation's Ray, if it has started."""
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"]  # empty if it has ended, None if it belongs to another user
            if command and RAY[target] in command[0] and self._is_ours(process.pid, ""):
                return self._kill(process.pid)
        return False

    def _redis(self) -> "redis.Redis":
        if self._client is None:
            url = orjson.loads(Home(self._home).settings.read_bytes())["redis_url"]
            # As the operator, because the actors' user has no permission to delete everything.
            self._client = redis.Redis.from_url(operator_url(Home(self._home).redis, url), socket_timeout=2)
        return self._client


def _wait_for_state(pid: int, *states: str) -> None:
    """Wait until a process has one of the states of psutil, or does not exist."""
    deadline = time.monotonic() + _SIGNAL_S
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() in states:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.001)
