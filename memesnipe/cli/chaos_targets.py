"""What `memesnipe chaos` kills: the processes of one installation, found as they are at the moment."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import redis

from actors.context import RESOLVED
from memesnipe.bus.streams import ACTORS, HEARTBEAT_KEY, PROGRESS
from memesnipe.local.process import read_pid

REDIS, REDIS_EMPTIED, POSTGRES, SERVE = "redis", "redis emptied", "postgres", "serve controller"
TARGETS: Final = (*ACTORS, REDIS, REDIS_EMPTIED, POSTGRES, SERVE)


class Targets:
    """The processes of the installation in one home folder."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._killed: set[int] = (
            set()
        )  # their numbers, so that a heartbeat that outlives its process counts for nothing
        self._kills: dict[str, Callable[[], bool]] = {
            REDIS: self._kill_redis,
            REDIS_EMPTIED: self._empty_redis,
            POSTGRES: lambda: self._kill(read_pid(self._home / "postgres/data/postmaster.pid")),
            SERVE: lambda: self._kill(self._serve_controller()),
        }

    def seq(self) -> int:
        """The last event that the executor has told of; 0 while it does not."""
        try:
            with self._redis() as client:
                last: Any = client.xrevrange(PROGRESS, count=1)
        except (redis.RedisError, OSError, ValueError):  # it may be what was killed last
            return 0
        return int(last[0][1][b"seq"]) if last else 0

    def kill(self, target: str) -> bool:
        """SIGKILL one of `TARGETS`; whether there was a process to kill."""
        if target in self._kills:
            return self._kills[target]()
        beat = self._heartbeat(target)
        return bool(beat) and self._kill(beat["pid"])  # also while it recovers from the last one

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
        return self._kill(read_pid(self._home / "redis/redis.pid"))

    def _empty_redis(self) -> bool:
        """Make Redis lose everything, and then die of it."""
        try:
            with self._redis() as client:
                client.flushall()
        except (redis.RedisError, OSError, ValueError):
            return False
        return self._kill_redis()

    def _serve_controller(self) -> int | None:
        """The process of Ray Serve's controller that belongs to this installation."""
        for entry in Path("/proc").iterdir():
            try:
                is_one = entry.name.isdigit() and b"ServeController" in (entry / "cmdline").read_bytes()
                if is_one and str(self._home).encode() in (entry / "environ").read_bytes():
                    return int(entry.name)
            except OSError:
                continue  # it ended while we looked
        return None

    def _heartbeat(self, actor: str) -> dict[str, Any]:
        try:
            with self._redis() as client:
                said: Any = client.get(HEARTBEAT_KEY.format(actor))
        except (redis.RedisError, OSError, ValueError):
            return {}
        return dict(orjson.loads(said)) if said else {}

    def _redis(self) -> "redis.Redis":
        url = orjson.loads((self._home / RESOLVED).read_bytes())["redis_url"]
        return redis.Redis.from_url(url, socket_timeout=2)
