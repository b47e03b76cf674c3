"""`monitor` shows what the API of the running system answers, and says where it does not."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.engine.genome import simple_genome
from memesnipe.runtime.lock import acquire
from memesnipe.storage import views
from memesnipe.storage.rows import Page
from memesnipe.storage.schema import EquityRow, StrategyRow
from memesnipe.storage.strategy_list import StrategyFilter, strategies
from tests.cli.in_process import memesnipe
from tests.terminal import Terminal

HEALTHY = {
    "status": "healthy", "detail": "",
    "parts": {"postgres": {"state": "up", "detail": ""}, "executor": {"state": "running", "detail": ""}},
}  # fmt: skip


class Api(ThreadingHTTPServer):
    """A server that answers with JSON by path, and with 404 elsewhere."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Any] = {}


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        answer = self.server.answers.get(self.path.removeprefix("/api/").partition("?")[0])
        body = json.dumps(answer).encode() if answer is not None else b"no JSON"
        self.send_response(200 if answer is not None else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Yield the API of a running system: with a locked home folder and its settings."""
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    with Api() as server, acquire(tmp_path):
        write_resolved(settings_from({"dashboard_port": server.server_port}, env_file=None), tmp_path / "settings.json")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        server.answers["health"] = HEALTHY
        yield server
        server.shutdown()


def test_the_state_is_shown_once(
    api: Api, tmp_path: Path, database: sa.Engine, new_run: int, insert: Callable[..., None]
) -> None:
    genome = simple_genome("momentum_5m", {}).to_dict()
    insert(StrategyRow, spec_id="aa11aa11aa11", mode="paper", genome=genome, result={"total_return": 0.25})
    insert(EquityRow, account="paper", seq=1, equity_usd=10_500.0, equity_lamports=52_500_000_000)
    with database.connect() as connection:  # the answers of the API are these views
        api.answers |= {
            "report": views.report(connection, new_run),
            "portfolio": views.portfolio(connection, new_run),
            "risk": views.risk(connection, new_run),
            "strategies": strategies(connection, new_run, StrategyFilter(), Page(8)).rows,
        }
    done = memesnipe(tmp_path, "monitor", "--once")
    assert (done.returncode, done.stderr) == (0, "")
    shown = " ".join(done.stdout.split())
    for text in ("MemeSnipe healthy", "executor running", "10,500.00 USD", "aa11aa11aa11 paper +25.00%", "momentum_5m"):
        assert text in shown
    state = json.loads(memesnipe(tmp_path, "monitor", "--json").stdout)
    assert state["running"] is True and state["report"]["run_id"] == new_run


def test_a_system_that_is_not_healthy_ends_with_1_and_is_shown_without_figures(api: Api, tmp_path: Path) -> None:
    api.answers["health"] = {
        "status": "degraded", "detail": "position is stalled",
        "parts": {"position": {"state": "stalled", "detail": "waits for \x1b[31m"}},
    }  # fmt: skip
    done = memesnipe(tmp_path, "monitor", "--once")
    assert done.returncode == 1
    assert "degraded  position is stalled" in done.stdout and "\x1b" not in done.stdout


def test_it_is_shown_in_a_terminal_until_ctrl_c(api: Api, tmp_path: Path) -> None:
    with Terminal(tmp_path, os.environ, "monitor", "--every", "0.2") as terminal:
        terminal.read_until("healthy", "executor", "running")
        api.answers["health"] = HEALTHY | {"status": "degraded", "detail": "position is stalled"}
        terminal.read_until("degraded", "position is stalled")
        terminal.press_ctrl_c()
        assert terminal.wait() == 0
    assert "Traceback" not in terminal.rest
    assert terminal.rest.rstrip().endswith("\x1b[?25h"), "the cursor is visible again"


def test_nothing_running_is_one_line(tmp_path: Path) -> None:
    done = memesnipe(tmp_path, "monitor", "--once")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "memesnipe: error: nothing runs in this folder; start it with `memesnipe up`\n"
