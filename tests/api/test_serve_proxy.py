"""The HTTP server that Serve's proxy starts has our limits: its hook works in this version of Ray."""

import os
import subprocess
import sys

from memesnipe.api.proxy_callback import CALLBACK

# In a separate process: Serve reads the environment on import, and the hook changes uvicorn's defaults.
SCRIPT = """
import asyncio, socket
from ray.serve._private.http_util import configure_http_middlewares, start_asgi_http_server
from ray.serve.config import HTTPOptions
from memesnipe.api import connections
from memesnipe.api.priority import CommandPriority

connections.REQUEST_TIMEOUT_S = 0.3

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["method"].encode()})

async def main():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = configure_http_middlewares(HTTPOptions(host="127.0.0.1", port=port))
    assert [found.cls for found in options.middlewares] == [CommandPriority]
    loop = asyncio.get_running_loop()
    running, server = await start_asgi_http_server(app, options, event_loop=loop, enable_so_reuseport=True)
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    unfinished, _ = await asyncio.open_connection("127.0.0.1", port)
    try:
        assert await asyncio.wait_for(unfinished.read(), 20) == b""
    except ConnectionResetError:
        pass
    writer.close()
    server.should_exit = True
    await running

asyncio.run(main())
print("as expected")
"""


def test_the_proxy_of_serve_uses_our_protocol_and_middleware() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | dict([CALLBACK]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "as expected\n", done.stderr
