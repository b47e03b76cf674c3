"""The signer's own application on a real HTTP server, with the key of a wallet of a test."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from solders.keypair import Keypair
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from memesnipe.signer.policy import default_policy_text
from memesnipe.signer.startup import SignerFiles, open_signer_api
from memesnipe.solana.request_mac import load_secret, make_secret
from memesnipe.testing.live_orders.lanes import TIP_ACCOUNTS

_LIMITS = {
    "enabled = false": "enabled = true",
    "per_transaction = 20_000_000": "per_transaction = 1_000_000_000",
    "per_hour = 100_000_000": "per_hour = 1_000_000_000_000",
    "per_day = 300_000_000": "per_day = 1_000_000_000_000",
    "exit_costs_per_day = 100_000_000": "exit_costs_per_day = 1_000_000_000_000",
    "max_intent_age_s = 30": "max_intent_age_s = 3600",  # orders wait for one another, and go on after kills
    "per_second = 10": "per_second = 1000",
    "burst = 50": "burst = 1000",
    "tip_accounts = [": "tip_accounts = [\n" + "".join(f'    "{one}",\n' for one in TIP_ACCOUNTS[1:]),
}


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
        path = self.files.folder / "audit.jsonl"
        return path.read_text().splitlines() if path.is_file() else []


def write_files(folder: Path, wallet: Keypair, **changes: str) -> SignerFiles:
    """Write the files of a signer that signs, with the policy's texts changed further."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = SignerFiles(folder / "wallet.json", folder / "token", folder / "policy.toml", folder, folder / "halt")
    policy = default_policy_text()
    for old, new in {**_LIMITS, **changes}.items():
        assert old in policy, old
        policy = policy.replace(old, new)
    for path, text in ((files.wallet, json.dumps(list(bytes(wallet)))), (files.policy, policy)):
        path.touch(mode=0o600)
        path.write_text(text)
    make_secret(files.token)
    return files


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
