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
import sqlalchemy as sa
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
from memesnipe.storage import schema
from memesnipe.storage.market_view import Market
from tests.api.browsing import CHROMIUM, FLAGS, SOL, insert_everything

TOKEN = "a token of the tests"
PROBLEM = {"type", "title", "status", "detail"}  # the names in every error
MAX_STREAMS = 3
NS = 1_000_000_000


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


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    from playwright.sync_api import expect

    page = browser.new_page()
    page.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    unexpected = []

    def note(item):  # playwright cannot call the method of a list
        unexpected.append(item)

    page.on("pageerror", note)
    page.on("request", lambda request: None if "127.0.0.1" in request.url else note(request.url))
    yield page
    page.close()
    # No error, no external request; files are saved from addresses of the page itself.
    assert [item for item in unexpected if not str(item).startswith(("data:", "blob:"))] == []


@pytest.fixture
def no_console_errors(page):
    errors = []

    def note(message):
        if message.type in ("error", "warning"):
            errors.append(message.text)

    page.on("console", note)
    yield
    assert errors == []


@pytest.fixture
def marked(insert):
    for number, usd in enumerate((1000.0, 1020.0, 1010.5)):
        insert(
            schema.EquityRow,
            **{"seq": number, "ts": number * 60 * NS, "equity_usd": usd},
            **{"equity_lamports": 10 * SOL, "cash_usd": 900.0},
        )
    insert(schema.BreakerRow, level="normal", drawdown=0.009)
    insert(schema.FeedCursorRow, seq=12345)
    insert(schema.StreamOffsetRow, actor="executor", stream="events", consumed=12345)


@pytest.fixture
def everything(insert, tmp_path, database, new_run):
    with database.begin() as connection:
        kept = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
        connection.execute(kept.values(settings={"initial_capital_usd": 1000.0, "seed": 24}))
    insert_everything(insert, tmp_path, new_run)
