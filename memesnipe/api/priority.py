"""Priority of commands over reads in Serve's proxy, through which every request passes."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memesnipe.api.problems import ProblemAnswer

MAX_READS: Final = 32  # that have not begun to respond; an open stream does not count
MAX_WAITING: Final = 1_000
WAIT_S: Final = 10.0
_READS: Final = ("GET", "HEAD", "OPTIONS")


class CommandPriority:
    """ASGI middleware that limits the number of concurrent reads, and passes every command on immediately.

    One event loop handles all requests of the proxy in order. A command that arrives after five hundred requests for a
    stream would wait until all of them are dispatched; so most of them wait here, where they use no resources.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._free = asyncio.Semaphore(MAX_READS)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, a read possibly after others have begun to respond, or refuse it."""
        if scope["type"] != "http" or scope["method"] not in _READS:
            await self._app(scope, receive, send)
        elif await self._acquire():
            await self._pass(scope, receive, send)
        else:
            busy = ProblemAnswer(503, "too many requests are waiting", {"Retry-After": "5"})
            await busy(scope, receive, send)

    async def _acquire(self) -> bool:
        if not self._free.locked():
            return await self._free.acquire()
        if self._waiting >= MAX_WAITING:
            return False
        self._waiting += 1
        try:
            await asyncio.wait_for(self._free.acquire(), WAIT_S)
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        released = False

        def release() -> None:
            nonlocal released
            if not released:
                released = True
                self._free.release()

        async def send_and_release(message: Message) -> None:
            release()
            await send(message)

        try:
            await self._app(scope, receive, send_and_release)
        finally:
            release()
