"""In the proxy, commands pass every crowd, and the crowd comes through in turn."""

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from memesnipe.api import priority
from memesnipe.api.priority import READS_AT_ONCE, CommandsFirst


class App:
    """Answers nobody who looks before it is opened, and everyone else at once."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.begun = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET":
            self.begun += 1
            await self.open.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": scope["path"] == "/stream"})
        if scope["path"] == "/stream":
            await asyncio.Event().wait()  # until it is cancelled


async def ask(app: CommandsFirst, method: str, path: str = "/") -> int:
    status = asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.set_result(message["status"])

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    running = asyncio.ensure_future(app(scope, receive, send))
    await asyncio.wait({running, status}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    return int(await status)


def test_a_command_passes_those_who_look() -> None:
    async def crowd() -> None:
        app = App()
        first = CommandsFirst(app)
        looking = [asyncio.ensure_future(ask(first, "GET")) for _ in range(5 * READS_AT_ONCE)]
        while app.begun < READS_AT_ONCE:
            await asyncio.sleep(0)
        assert await ask(first, "POST") == 200
        assert app.begun == READS_AT_ONCE
        app.open.set()
        assert await asyncio.gather(*looking) == [200] * len(looking)

    asyncio.run(asyncio.wait_for(crowd(), 20))


def test_a_stream_that_is_open_takes_nobodys_turn() -> None:
    async def streams() -> None:
        app = App()
        app.open.set()
        first = CommandsFirst(app)
        for _ in range(3 * READS_AT_ONCE):
            assert await ask(first, "GET", "/stream") == 200

    asyncio.run(asyncio.wait_for(streams(), 20))


def test_more_than_may_wait_and_who_waits_too_long_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(priority, "MAX_WAITING", 2)
    monkeypatch.setattr(priority, "WAIT_S", 0.1)

    async def crowd() -> None:
        app = App()
        first = CommandsFirst(app)
        looking = [asyncio.ensure_future(ask(first, "GET")) for _ in range(READS_AT_ONCE + 3)]
        statuses = [await asked for asked in looking[READS_AT_ONCE:]]
        assert statuses == [503, 503, 503]
        app.open.set()
        assert await asyncio.gather(*looking[:READS_AT_ONCE]) == [200] * READS_AT_ONCE
        assert await ask(first, "GET") == 200

    asyncio.run(asyncio.wait_for(crowd(), 20))
