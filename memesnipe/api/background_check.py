"""Running a check that may hang in the background, with a shared result."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

Result = TypeVar("Result")


class BackgroundCheck(Generic[Result]):
    """Run a check in a thread, one at a time; concurrent callers share its result.

    A thread that hangs is abandoned; as a daemon it does not prevent the process from ending.
    """

    def __init__(self, check: Callable[[], Result]) -> None:
        self._check = check
        self._lock = Lock()
        self._latest: Future[Result] | None = None

    def submit(self) -> Future[Result]:
        """Return the future result of the running check, or of a new one."""
        with self._lock:
            if self._latest is None or self._latest.done():
                self._latest = Future()
                Thread(target=self._run, args=(self._latest,), daemon=True).start()
            return self._latest

    def _run(self, result: Future[Result]) -> None:
        try:
            result.set_result(self._check())
        except Exception as error:  # noqa: BLE001 - every error is passed to the callers
            result.set_exception(error)
