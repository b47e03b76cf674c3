"""Commands first: in Serve's one proxy, no request to stop waits behind a crowd of requests to look."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memesnipe.api.answers import Answer

READS_AT_ONCE: Final = 32  # until they begin to answer; a stream that is open is none of them
MOST_WAITING: Final = 1_000
WAIT_S: Final = 10.0
_LOOKING: Final = ("GET", "HEAD", "OPTIONS")


class CommandsFirst:
    """ASGI middleware that lets few requests to look through at once, and every other one immediately.

    One event loop works on all requests of a proxy in turn. A command that arrives after five hundred requests for a
    stream would wait until all of them are under way; so most of those wait here, where they cost nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns = asyncio.Semaphore(READS_AT_ONCE)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in its turn, or refuse it."""
        if scope["type"] != "http" or scope["method"] not in _LOOKING:
            await self._app(scope, receive, send)
        elif await self._get_turn():
            await self._pass(scope, receive, send)
        else:
            busy = {"error": "too many requests wait already"}
            await Answer(busy, status_code=503, headers={"Retry-After": "5"})(scope, receive, send)

    async def _get_turn(self) -> bool:
        if not self._turns.locked():
            return await self._turns.acquire()
        if self._waiting >= MOST_WAITING:
            return False
        self._waiting += 1
        try:
            await asyncio.wait_for(self._turns.acquire(), WAIT_S)
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        over = False

        def end_turn() -> None:
            nonlocal over
            if not over:
                over = True
                self._turns.release()

        async def send_and_end_turn(message: Message) -> None:
            end_turn()
            await send(message)

        try:
            await self._app(scope, receive, send_and_end_turn)
        finally:
            end_turn()
