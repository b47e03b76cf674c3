"""Running blocking work for an event loop: in a few threads, with limits on the time and the number of calls."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

T = TypeVar("T")


class BusyError(Exception):
    """Too many calls are waiting."""


class SlowError(Exception):
    """The work did not end in time."""


class Workers:
    """Run work in threads, with a limit on the caller's waiting time.

    Work that hangs keeps its thread until it ends; its caller and later callers get their error in time.

    Args:
        name: of the threads.
        threads: maximum number of calls that run.
        timeout_s: maximum time from the call to its result.
        capacity: maximum number of calls that run or wait.
    """

    def __init__(self, name: str, *, threads: int, timeout_s: float, capacity: int) -> None:
        self.timeout_s = timeout_s
        self._executor = ThreadPoolExecutor(threads, name)
        self._slots = BoundedSemaphore(capacity)

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of the work.

        Raises:
            BusyError: too many calls run or wait.
            SlowError: no result within the time; work that has not started is dropped.
        """
        if not self._slots.acquire(blocking=False):
            raise BusyError
        future: Future[T] = self._executor.submit(work)
        future.add_done_callback(lambda _: self._slots.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.timeout_s)
        except TimeoutError as error:
            if future.done() and not future.cancelled():
                raise  # raised by the work
            raise SlowError(f"no response within {self.timeout_s:g} s") from error
