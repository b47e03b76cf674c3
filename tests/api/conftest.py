"""Fixtures of the API on a real port, as browsers and scripts use it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
import uvicorn
from sqlalchemy import Engine
from starlette.types import ASGIApp

from memesnipe.api.access import RemoteAccess
from memesnipe.api.app import create_api
from memesnipe.api.backend import Backend
from memesnipe.api.commands import Commands
from memesnipe.api.connections import LimitedProtocol
from memesnipe.api.health import ACTORS, HEARTBEAT_KEY
from memesnipe.api.priority import CommandPriority
from memesnipe.api.request_checks import RequestChecks
from memesnipe.servers.process import wait_until
from memesnipe.storage.market_view import Market

TOKEN = "a token of the tests"
PROBLEM = {"type", "title", "status", "detail"}  # the names in every error
MAX_STREAMS = 3


class Served:
    """An application on a free port, in a thread, with the protocol of Serve's proxy."""

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # A page never closes its stream, so the server must not wait for that.
        config = uvicorn.Config(
            app, http=LimitedProtocol, log_level="error", timeout_graceful_shutdown=1, timeout_keep_alive=15
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))
        self._thread.start()
        assert wait_until(lambda: self._server.started, 20)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture
def bus(redis_url: str, as_operator: Callable[[str], str]) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(as_operator(redis_url)) as client:
        client.flushdb()
        yield client


@pytest.fixture
def all_running(bus: redis.Redis) -> None:
    for actor in ACTORS:
        beat = {"state": "running", "detail": "", "pid": 1, "seq": 10}
        bus.set(HEARTBEAT_KEY.format(actor), json.dumps(beat))


@pytest.fixture
def signer() -> dict[str, bool]:
    """Return the health that the signer reports; a test may change it."""
    return {"healthy": True}


@pytest.fixture
def backend(database, bus, signer) -> Backend:
    started = datetime(2026, 1, 2, tzinfo=UTC)
    return Backend(database, bus, lambda: signer["healthy"], started_at=started)


@pytest.fixture
def market(tmp_path) -> Market:
    """Return a market whose event logs are in the folder of the test."""
    return Market(lambda run_id: tmp_path / f"{run_id}.bin")


def describe(genome: dict[str, Any]) -> dict[str, str]:
    """Describe a genome, in fewer words than `memesnipe.engine.genome_words`, which loads the compiler."""
    return {"genome": ", ".join(gene["family"] for gene in genome.get("signals", ()))}


@pytest.fixture
def serve(database: Engine, market: Market, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Return a function that serves an API over a backend; its commands go to the database of the tests."""
    served: list[Served] = []

    def start(backend: Backend, port: int = 0, *, token: str = TOKEN, commands_database: Engine = database) -> Served:
        commands = Commands(commands_database, token, tmp_path / "halt")
        api = create_api(backend, commands, market, describe, MAX_STREAMS)
        app = CommandPriority(RequestChecks(RemoteAccess(api, token)))
        served.append(Served(app, port))
        return served[-1]

    yield start
    for server in served:
        server.stop()
