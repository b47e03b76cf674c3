"""Concurrent calls that share one result."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Call a function once for all concurrent callers, and again for callers after its result."""

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self._call = call
        self._running: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        """Return the result of the running call, or of a new one."""
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._call())
        # A caller that is cancelled must not cancel the call for the others.
        return await asyncio.shield(self._running)
