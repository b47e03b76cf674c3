"""A signer on a real HTTP server, and requests to it."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from memesnipe.signer.app import SIGN_PATH, Signing, create_signer_api
from memesnipe.signer.audit import AuditLog
from memesnipe.signer.policy import Policy
from memesnipe.signer.rate_limit import RateLimit
from memesnipe.signer.service import Signer
from memesnipe.signer.spending import SpendingBook
from memesnipe.solana.request_mac import RequestVerifier, sign_headers
from tests.signer.conftest import SteppedClock
from tests.signer.fakes import FakeChain, buy_transaction, request_body, sell_transaction

SECRET = b"a-secret-of-the-signer-and-the-desk"
MINT = Pubkey.from_string("9BB6NFEcjBCtnNLFko2FqVQBq8HHM13kCyYcdQbgpump")


@contextmanager
def serving(api: FastAPI) -> Iterator[httpx.Client]:
    """Serve an application on a free port; yield a client of it."""
    server = uvicorn.Server(uvicorn.Config(api, port=0, log_level="debug", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        yield client
    server.should_exit = True
    thread.join()


class Served:
    """A signer on a port."""

    def __init__(self, folder: Path, policy: Policy, clock: SteppedClock, keypair: Keypair) -> None:
        self.keypair, self.folder, self.clock = keypair, folder, clock
        self.chain = FakeChain(keypair.pubkey(), MINT)
        self.book = SpendingBook(folder / "spending.sqlite")
        self.audit = AuditLog(folder / "audit.jsonl", clock.now_ms(), wait_s=0)
        self.halt = folder / "halt"
        signer = Signer(keypair, policy, self.chain, self.book, self.audit, self.halt, clock)
        limit = RateLimit(policy.requests.per_second, policy.requests.burst, clock)
        api = create_signer_api(
            str(keypair.pubkey()), Signing(signer, RequestVerifier(SECRET, self.book, clock=clock), limit)
        )
        self._stack = ExitStack()
        self.client = self._stack.enter_context(serving(api))

    def stop(self) -> None:
        self._stack.close()
        self.audit.close()
        self.book.close()

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.client.post(
            "/sign", content=body, headers=headers or sign_headers(SECRET, "POST", SIGN_PATH, body, self.clock)
        )

    def buy(self, number: int, **changes: Any) -> httpx.Response:
        intent = {
            "side": "buy",
            "mint": str(MINT),
            "max_in": 1_000_000,
            "min_out": 900,
            "decided_ms": self.clock.now_ms(),
        }
        transaction = buy_transaction(self.keypair, MINT, salt=number)
        return self.post(request_body(transaction, f"order-{number}", intent | changes))

    def sell(self, number: int) -> httpx.Response:
        intent = {
            "side": "sell",
            "mint": str(MINT),
            "max_in": 500,
            "min_out": 400_000,
            "decided_ms": self.clock.now_ms(),
        }
        self.chain.cost, self.chain.gives = -400_000, -500
        body = request_body(sell_transaction(self.keypair, MINT, 500, 400_000, number), f"order-{number}", intent)
        answer = self.post(body)
        self.chain.cost, self.chain.gives = 1_000_000, 1_000
        return answer

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.jsonl").read_text().splitlines()]
