"""A check that may hang, asked by someone who will not wait for it."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class BackgroundCheck(Generic[Answer]):
    """Runs a check in a thread of its own, one at a time; who asks meanwhile shares its answer.

    A thread that hangs is left behind, and as a daemon it does not keep the process from ending.
    """

    def __init__(self, check: Callable[[], Answer]) -> None:
        self._check = check
        self._lock = Lock()
        self._latest: Future[Answer] | None = None

    def ask(self) -> Future[Answer]:
        """The answer, when it comes."""
        with self._lock:
            if self._latest is None or self._latest.done():
                self._latest = Future()
                Thread(target=self._run, args=(self._latest,), daemon=True).start()
            return self._latest

    def _run(self, answer: Future[Answer]) -> None:
        try:
            answer.set_result(self._check())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, who asks is told
            answer.set_exception(error)
