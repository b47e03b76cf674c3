"""`memesnipe status` shows the available parts of the state while others do not respond."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from memesnipe.cli import running
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.runtime.lock import acquire

HEALTH = {
    "status": "unhealthy", "version": "24.0.0", "detail": "postgres is down", "started_at": "2026-01-02T00:00:00+00:00",
    "parts": {"postgres": {"state": "down", "detail": "-"}},
}  # fmt: skip


class Api(ThreadingHTTPServer):
    """A server that returns the configured bodies with status 503, and leaves requests for other paths open."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, bytes] = {}
        self.over = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        body = self.server.answers.get(self.path)
        if body is None:
            self.server.over.wait()
            return
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Yield an API of a running system: with a locked home folder and its settings."""
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    monkeypatch.setattr(running, "_TIMEOUT_S", 0.2)
    with Api() as server, acquire(tmp_path):
        write_resolved(settings_from({"dashboard_port": server.server_port}, env_file=None), tmp_path / "settings.json")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.answers["/api/health"] = json.dumps(HEALTH).encode()
        yield server
        server.over.set()
        server.shutdown()


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (None, "no report: the database has not responded for 0.2 s"),
        (b"<html>", "no report: /api/report: 503 Service Unavailable"),
        (b'{"status": 503, "detail": "the database does not respond"}', "no report: the database does not respond"),
    ],
)
def test_the_health_is_shown_without_a_report(api: Api, report: bytes | None, expected: str) -> None:
    if report is not None:
        api.answers["/api/report"] = report
    state = running.status()
    assert state["running"]
    assert state["error"].startswith(expected)
    assert {name: state[name] for name in HEALTH} == HEALTH


def test_without_health_the_status_is_starting_or_stopping(api: Api) -> None:
    del api.answers["/api/health"]
    assert running.status()["status"] == "starting or stopping"
    api.shutdown()
    api.server_close()
    assert running.status()["status"] == "starting or stopping"
