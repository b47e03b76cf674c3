"""Blocking work for an event loop: in few threads, with a limit on how long and how many may wait for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

T = TypeVar("T")


class BusyError(Exception):
    """So many wait already that nobody else may."""


class SlowError(Exception):
    """The work did not end in time."""


class Workers:
    """Threads that answer within ``timeout_s`` or not at all.

    Work that hangs keeps its thread until it ends. Whoever asked has left by then; who comes meanwhile waits no longer
    than anyone else.

    Args:
        name: of the threads.
        threads: works at once.
        timeout_s: longest time from asking to the answer.
        capacity: works that run or wait, of which each takes a place until it ends.
    """

    def __init__(self, name: str, *, threads: int, timeout_s: float, capacity: int) -> None:
        self.timeout_s = timeout_s
        self._executor = ThreadPoolExecutor(threads, name)
        self._places = BoundedSemaphore(capacity)

    async def run(self, work: Callable[[], T]) -> T:
        """The result of the work.

        Raises:
            BusyError: no place is free.
            SlowError: no result within the time; work that has not begun is dropped.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError
        future: Future[T] = self._executor.submit(work)
        future.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.timeout_s)
        except TimeoutError as error:
            if future.done() and not future.cancelled():
                raise  # the work's own
            raise SlowError(f"no answer within {self.timeout_s:g} s") from error
