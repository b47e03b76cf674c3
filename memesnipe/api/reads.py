"""Reads of the backend for an event loop: in threads that commands do not use, with limits on time and number."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Connection

from memesnipe.api.answers import Answer, tag
from memesnipe.api.backend import Backend
from memesnipe.api.lists import page_of
from memesnipe.api.shared import Shared
from memesnipe.api.workers import Workers
from memesnipe.storage.rows import Page, Rows

T = TypeVar("T")
View = Callable[[Connection, int], T]

# All reads share these threads; a read beyond the limit gets 503 with Retry-After.
_READING_THREADS: Final = 4
_MAX_READERS: Final = 128
_READ_TIMEOUT_S: Final = 10.0
_HEALTH_TIMEOUT_S: Final = 5.0
_STATE_TIMEOUT_S: Final = 15.0


class Reads:
    """Call the blocking methods of the backend from an event loop."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._workers = Workers("reads", threads=_READING_THREADS, timeout_s=_READ_TIMEOUT_S, capacity=_MAX_READERS)
        # Concurrent requests share one call, so one thread is enough for each.
        health = Workers("health", threads=1, timeout_s=_HEALTH_TIMEOUT_S, capacity=1)
        state = Workers("state", threads=1, timeout_s=_STATE_TIMEOUT_S, capacity=1)
        self.health = Shared(lambda: health.run(backend.health))
        self.state = Shared(lambda: state.run(backend.state))

    async def read(self, view: View[T]) -> T:
        """Return a view of the newest run."""
        return await self._workers.run(lambda: self._backend.read(view))

    async def answer(self, request: Request, view: View[Any]) -> Response:
        """Return the response with a view of the newest run, or 304."""
        found: Response = tag(Answer(await self.read(view)), request)
        return found

    async def page(self, request: Request, page: Page, view: View[Rows]) -> Response:
        """Return the response with a page of a list, or 304."""
        found: Response = tag(page_of(await self.read(view), request, page.offset), request)
        return found
