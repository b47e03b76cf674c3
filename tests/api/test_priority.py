"""In the proxy, commands are passed on before waiting reads, and reads in order."""

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from memesnipe.api import priority
from memesnipe.api.priority import MAX_READS, CommandPriority


class App:
    """An application that answers reads only when it is opened, and other requests at once."""

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


async def ask(app: CommandPriority, method: str, path: str = "/") -> int:
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


def test_a_command_is_passed_before_waiting_reads() -> None:
    async def crowd() -> None:
        app = App()
        proxy = CommandPriority(app)
        reads = [asyncio.ensure_future(ask(proxy, "GET")) for _ in range(5 * MAX_READS)]
        while app.begun < MAX_READS:
            await asyncio.sleep(0)
        assert await ask(proxy, "POST") == 200
        assert app.begun == MAX_READS
        app.open.set()
        assert await asyncio.gather(*reads) == [200] * len(reads)

    asyncio.run(asyncio.wait_for(crowd(), 20))


def test_an_open_stream_does_not_count_as_a_read() -> None:
    async def streams() -> None:
        app = App()
        app.open.set()
        proxy = CommandPriority(app)
        for _ in range(3 * MAX_READS):
            assert await ask(proxy, "GET", "/stream") == 200

    asyncio.run(asyncio.wait_for(streams(), 20))


def test_reads_beyond_the_limits_are_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(priority, "MAX_WAITING", 2)
    monkeypatch.setattr(priority, "WAIT_S", 0.1)

    async def crowd() -> None:
        app = App()
        proxy = CommandPriority(app)
        reads = [asyncio.ensure_future(ask(proxy, "GET")) for _ in range(MAX_READS + 3)]
        statuses = [await read for read in reads[MAX_READS:]]
        assert statuses == [503, 503, 503]
        app.open.set()
        assert await asyncio.gather(*reads[:MAX_READS]) == [200] * MAX_READS
        assert await ask(proxy, "GET") == 200

    asyncio.run(asyncio.wait_for(crowd(), 20))
