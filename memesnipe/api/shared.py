"""One answer for everyone who asks at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Calls a function once for all who wait for it; who comes later than its answer has it called again."""

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self._call = call
        self._running: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        """The answer that is on its way, or the next one."""
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._call())
        # Whoever leaves takes the answer from nobody else.
        return await asyncio.shield(self._running)
