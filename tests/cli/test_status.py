"""`memesnipe status` shows the available parts of the state while others do not respond."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from memesnipe.cli import running
from memesnipe.config.home import STOPPING, write_condition
from tests.cli.running_api import running_api
from tests.http_receiver import HttpReceiver

HEALTH = {
    "status": "unhealthy", "version": "24.0.0", "detail": "postgres is down", "started_at": "2026-01-02T00:00:00+00:00",
    "parts": {"postgres": {"state": "down", "detail": "-"}},
}  # fmt: skip


class Api(HttpReceiver):
    """A server that returns the configured bodies with status 503, and leaves requests for other paths open."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.over = threading.Event()
        super().__init__()

    def on_get(self, path: str) -> tuple[int, bytes]:
        if path not in self.answers:
            self.over.wait()
            return 404, b""
        return 503, self.answers[path]


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Yield an API of a running system."""
    monkeypatch.setattr(running, "_TIMEOUT_S", 0.2)
    server = Api()
    server.answers["/api/health"] = json.dumps(HEALTH).encode()
    with running_api(tmp_path, monkeypatch, server):
        yield server
        server.over.set()


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


@pytest.mark.parametrize(
    ("condition", "status", "detail"),
    [
        ("waits for the dashboard", "starting", "waits for the dashboard"),
        (STOPPING, "stopping", "waits for the end of its parts"),
        ("Ray died: no room. It is being restarted", "restarting", "Ray died: no room. It is being restarted"),
        ("", "unknown", "the page does not answer; see the output of `memesnipe up`"),
    ],
)
def test_without_the_page_the_status_is_what_up_is_doing(
    api: Api, tmp_path: Path, condition: str, status: str, detail: str
) -> None:
    del api.answers["/api/health"]
    write_condition(tmp_path, condition)
    for _ in range(2):
        found = running.status()
        assert (found["status"], found["detail"]) == (status, detail)
        api.close()


def test_before_the_settings_are_resolved_it_waits_for_the_servers(api: Api, tmp_path: Path) -> None:
    (tmp_path / "settings.json").unlink()
    write_condition(tmp_path, "waits for the servers")
    found = running.status()
    assert (found["status"], found["detail"]) == ("starting", "waits for the servers")
