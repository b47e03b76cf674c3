"""The embedded servers of one home folder."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from memesnipe.servers.embedded import EmbeddedServer
from memesnipe.servers.postgres import EmbeddedPostgres
from memesnipe.servers.redis import EmbeddedRedis


@dataclass(frozen=True)
class ServerUrls:
    """The URLs of the servers; None for a server that was not requested."""

    redis_url: str | None
    database_url: str | None


class LocalServers:
    """Redis and PostgreSQL, each in its folder; leaving the `with` block stops both."""

    def __init__(self, redis: Path, postgres: Path) -> None:
        self._redis = EmbeddedRedis(redis)
        self._postgres = EmbeddedPostgres(postgres)
        self._launched: list[EmbeddedServer] = []

    def start(self, need_redis: bool = True, need_postgres: bool = True) -> ServerUrls:
        """Start the requested servers; when one fails, stop the other. Main thread only.

        Raises:
            LocalServerError: one does not start.
        """
        self.launch(need_redis, need_postgres)
        return self.wait()

    def launch(self, need_redis: bool = True, need_postgres: bool = True) -> None:
        """Start the requested servers without waiting, so that they start at the same time. Main thread only.

        Raises:
            LocalServerError: one cannot be started.
        """
        try:
            if need_redis:
                self._launched.append(self._redis)
                self._redis.launch()
            if need_postgres:
                self._launched.append(self._postgres)
                self._postgres.launch()
        except BaseException:
            self.stop()
            raise

    def wait(self) -> ServerUrls:
        """Wait until the launched servers answer; when one fails, stop the other.

        Raises:
            LocalServerError: one does not start.
        """
        try:
            return ServerUrls(
                redis_url=self._redis.wait() if self._redis in self._launched else None,
                database_url=self._postgres.wait() if self._postgres in self._launched else None,
            )
        except BaseException:
            self.stop()
            raise

    def restart_dead(self) -> list[str]:
        """Restart the servers that have died; return their names. Main thread only."""
        restarted = [("Redis", self._redis.restart_if_dead()), ("PostgreSQL", self._postgres.restart_if_dead())]
        return [name for name, had_died in restarted if had_died]

    def stop(self) -> None:
        """Stop the servers that run; a second call has no effect."""
        self._launched.clear()
        try:
            self._redis.stop()
        finally:
            self._postgres.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
