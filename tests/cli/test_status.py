"""`memesnipe status` tells what it can learn, also where parts of the system say nothing."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from memesnipe.cli import control
from memesnipe.settings import Settings, write_resolved

HEALTH = {"status": "unhealthy", "detail": "postgres is down", "parts": {"postgres": {"state": "down", "detail": "-"}}}


@pytest.fixture(autouse=True)
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    monkeypatch.setattr(control, "holder", lambda _: 7)
    write_resolved(Settings(_env_file=None), tmp_path / "settings.json")


def answers(monkeypatch: pytest.MonkeyPatch, report: Any) -> None:
    def get(url: str, timeout: float) -> httpx.Response:
        if url.endswith("/api/health"):
            return httpx.Response(503, json=HEALTH)
        if isinstance(report, Exception):
            raise report
        return httpx.Response(503, json=report)

    monkeypatch.setattr(control.httpx, "get", get)


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (httpx.ReadTimeout("slow"), "the figures do not come: the database says nothing for 10 s"),
        (httpx.ConnectError("refused"), "the figures do not come: refused"),
        ({"error": "the database does not answer"}, "the database does not answer"),
    ],
)
def test_what_health_says_is_kept_where_the_figures_do_not_come(
    monkeypatch: pytest.MonkeyPatch, report: Any, told: str
) -> None:
    answers(monkeypatch, report)
    state = control.status()
    assert (state["running"], state["pid"], state["error"]) == (True, 7, told)
    assert {name: state[name] for name in HEALTH} == HEALTH


def test_without_health_it_is_starting_or_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(url: str, timeout: float) -> httpx.Response:
        raise httpx.ConnectError("nobody listens")

    monkeypatch.setattr(control.httpx, "get", get)
    assert control.status()["status"] == "starting or stopping"
