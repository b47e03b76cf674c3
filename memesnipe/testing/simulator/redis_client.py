"""A process's connection to the simulated Redis server: each command is a step, and may fail before or after it."""

from collections.abc import Callable, Mapping
from typing import Any

import redis

from memesnipe.bus.publish import PUBLISH
from memesnipe.testing.simulator.redis_server import RedisServer
from memesnipe.testing.simulator.scheduler import Process

# Idle processes wait longer than real ones, so that a run has fewer steps in which nothing happens.
_SLOWER = 10
_LOST = "the connection to Redis was lost"


class RedisClient:
    """The commands of `redis.Redis` that the bus uses."""

    def __init__(self, server: RedisServer, process: Process) -> None:
        self._server, self._process = server, process
        self._starts = server.starts

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a command of the server as a method."""
        command = getattr(self._server, name)
        return lambda *arguments, **options: self._call(command, *arguments, **options)

    def _call(self, command: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self._process.step()
        if self._starts != self._server.starts:
            raise redis.ConnectionError(_LOST)
        fault = self._process.take_fault("redis")
        if fault == "drop_before":
            self._starts = 0
            raise redis.ConnectionError(_LOST)
        reply = command(*arguments, **options)
        if fault == "repeat":  # a proxy sends a request again whose reply it has lost
            reply = command(*arguments, **options)
        if fault == "drop_after":
            self._starts = 0
            raise redis.ConnectionError(_LOST)
        return reply

    def xread(self, after: Mapping[str, str], *, count: int = 1, block: int | None = None) -> Any:
        """XREAD; a blocking one waits in virtual time for an entry."""
        reply = self._call(self._server.xread, after, count=count)
        if not reply and block is not None:
            self._server.wake_on(after, self._process.wake)
            self._process.sleep(block / 1000 * _SLOWER)
            reply = self._call(self._server.xread, after, count=count)
        return reply

    def register_script(self, script: str) -> Callable[..., Any]:
        """Return the script as a function; the server has one."""
        assert script == PUBLISH  # noqa: S101 - another script would have to be simulated
        return lambda keys, args: self._call(self._server.publish, list(keys), list(args))

    def pipeline(self, *, transaction: bool) -> "Pipeline":  # noqa: ARG002 - a simulated one is always atomic
        """Return an empty pipeline."""
        return Pipeline(self._server, self._call)

    def close(self) -> None:
        """Close the connection."""
        self._starts = 0


class Pipeline:
    """Commands that are executed together."""

    def __init__(self, server: RedisServer, call: Callable[..., Any]) -> None:
        self._server, self._run = server, call
        self._commands: list[Callable[[], Any]] = []

    def __getattr__(self, name: str) -> Callable[..., "Pipeline"]:
        """Return a command of the server as a method that adds it."""
        command = getattr(self._server, name)

        def add(*arguments: Any, **options: Any) -> "Pipeline":
            self._commands.append(lambda: command(*arguments, **options))
            return self

        return add

    def execute(self) -> list[Any]:
        """Execute the commands and return their replies."""
        commands, self._commands = self._commands, []
        replies: list[Any] = self._run(lambda: [command() for command in commands])
        return replies
