"""The signer's own application on a real HTTP server, with the key of a wallet of a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from memesnipe.signer.startup import SignerFiles, open_signer_api
from memesnipe.solana.request_mac import load_secret
from memesnipe.testing.live_orders.signer_files import audit_lines


class LossySigner:
    """Serves an application, and loses every so many answers after the request has had its effect."""

    def __init__(self, app: ASGIApp, lost_one_in: int) -> None:
        self._app, self._lost_one_in = app, lost_one_in
        self.nonces: list[str] = []
        self.lost = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        self.nonces += [value.decode() for name, value in scope["headers"] if name == b"x-nonce"]
        if self._lost_one_in and len(self.nonces) % self._lost_one_in == 0:
            self.lost += 1

            async def nowhere(_: object) -> None:
                pass

            await self._app(scope, receive, nowhere)
            await send({"type": "http.response.start", "status": 502, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return None
        return await self._app(scope, receive, send)


class RunningSigner:
    """A signer at a URL."""

    def __init__(self, files: SignerFiles, url: str, app: LossySigner) -> None:
        self.files, self.url, self.app = files, url, app
        self.secret = load_secret(files.token)

    def audit(self) -> list[str]:
        """Return the lines of the audit log."""
        return audit_lines(self.files.folder)


@contextmanager
def running_signer(files: SignerFiles, rpc_url: str, lost_one_in: int = 0) -> Iterator[RunningSigner]:
    """Yield the signer of some files, at the path at which it is deployed."""
    app = LossySigner(Starlette(routes=[Mount("/signer", open_signer_api(files, rpc_url))]), lost_one_in)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
            assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield RunningSigner(files, f"http://127.0.0.1:{port}", app)
    finally:
        server.should_exit = True
        thread.join()
