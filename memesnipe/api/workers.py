"""Run blocking work for an event loop: in few threads, with limits on the time and the number of waiting calls."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

T = TypeVar("T")


class BusyError(Exception):
    """Too many calls wait already."""


class SlowError(Exception):
    """The work did not end in time."""


class Workers:
    """Run work in threads, with a limit on how long the caller waits.

    Work that hangs keeps its thread until it ends; its caller and all later ones get their error in time.

    Args:
        name: of the threads.
        threads: most works that run at once.
        timeout_s: longest time from the call to its result.
        capacity: most works that run or wait.
    """

    def __init__(self, name: str, *, threads: int, timeout_s: float, capacity: int) -> None:
        self.timeout_s = timeout_s
        self._executor = ThreadPoolExecutor(threads, name)
        self._places = BoundedSemaphore(capacity)

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of the work.

        Raises:
            BusyError: too many works run or wait.
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
