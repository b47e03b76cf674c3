"""The embedded servers of one home folder: starts those that are asked for, and stops them all."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from memesnipe.servers.postgres import EmbeddedPostgres
from memesnipe.servers.redis import EmbeddedRedis


@dataclass(frozen=True)
class ServerUrls:
    """Where the servers answer; None for one that was not asked for."""

    redis_url: str | None
    database_url: str | None


class LocalServers:
    """Redis in HOME/redis and PostgreSQL in HOME/postgres; leaving the `with` block stops both."""

    def __init__(self, home: Path) -> None:
        self._redis = EmbeddedRedis(home / "redis")
        self._postgres = EmbeddedPostgres(home / "postgres")

    def start(self, need_redis: bool = True, need_postgres: bool = True) -> ServerUrls:
        """Start what is asked for, from the main thread; when one fails, none is left running."""
        try:
            # Both are launched before either is waited for, so they come up at the same time.
            if need_redis:
                self._redis.launch()
            if need_postgres:
                self._postgres.launch()
            return ServerUrls(
                redis_url=self._redis.wait() if need_redis else None,
                database_url=self._postgres.wait() if need_postgres else None,
            )
        except BaseException:
            self.stop()
            raise

    def revive(self) -> list[str]:
        """Start again what has died, from the main thread; the names of those that had."""
        revived = [("Redis", self._redis.revive()), ("PostgreSQL", self._postgres.revive())]
        return [name for name, had_died in revived if had_died]

    def stop(self) -> None:
        """Stop what runs; a second call does nothing."""
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
