"""The progress line names what a run waits for and what is wrong, and shows no figures before the first event."""

import io
import re
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from memesnipe.api.health import FINE
from memesnipe.cli import progress, progress_line
from memesnipe.cli.progress_line import HealthWatch
from memesnipe.servers.process import wait_until

NOTHING: dict[str, Any] = {
    "events": {"published": 0, "consumed": 0, "rejected": 0}, "generations": 0, "trades": 0, "open_positions": 0,
    "strategies": {"simulating": 0, "paper": 0, "live": 0}, "equity_usd": None, "trading_usd": None,
    "risk_level": "normal", "halted": False, "live": None,
}  # fmt: skip
LIVE = {
    "trades": 3, "open_positions": 1, "equity_usd": 1_496.55, "trading_usd": 0.42, "risk_level": "warning",
    "halted": False,
}  # fmt: skip
PUBLISHED = NOTHING | {"events": {"published": 20, "consumed": 0, "rejected": 0}}
BEGUN = NOTHING | {
    "events": {"published": 20, "consumed": 10, "rejected": 0},
    "equity_usd": 9_000.5,
    "trading_usd": -1.234,
}
WELL = {"status": "healthy", "detail": "", "parts": {"postgres": {"state": "up", "detail": ""}}}


def health(status: str = "degraded", **parts: tuple[str, str]) -> dict[str, Any]:
    known = {name: {"state": state, "detail": detail} for name, (state, detail) in parts.items()}
    return {"status": status, "detail": "", "parts": {**WELL["parts"], **known}}  # type: ignore[dict-item]


def line(report: dict[str, Any], found: dict[str, Any], system_problem: str = "") -> str:
    return progress_line.progress_line(report, found, system_problem, None)


@pytest.mark.parametrize(
    ("report", "found", "system_problem", "expected"),
    [
        ({}, WELL, "", "waiting for the first event"),
        (NOTHING, WELL, "", "waiting for the first event"),
        (NOTHING, health(strategy_factory=("starting", "")), "", "starting: strategy_factory"),
        (
            NOTHING,
            health(executor=("starting", ""), position=("down", "no heartbeat")),
            "",
            "starting: executor, position",
        ),
        (NOTHING, health("starting") | {"detail": "the dashboard"}, "", "starting: the dashboard"),
        (PUBLISHED, health(executor=("starting", "")), "", "starting: executor"),
        (NOTHING, WELL, "Ray died: raylet has ended", "Ray died: raylet has ended"),
        (NOTHING, health(executor=("recovering", "no lease")), "", "degraded: executor recovering (no lease)"),
    ],
)
def test_before_the_first_event_the_line_names_the_parts_waited_for(
    report: dict[str, Any], found: dict[str, Any], system_problem: str, expected: str
) -> None:
    assert line(report, found, system_problem) == expected


def test_with_events_the_line_shows_figures_and_health() -> None:
    assert line(BEGUN, WELL).startswith("10 events  generation 0")
    assert line(BEGUN, WELL).endswith("$9,000.50  trading -$1.23  risk normal  healthy")
    assert line(BEGUN | {"halted": True}, WELL).endswith("risk normal, halted  healthy")


def test_a_halt_of_the_live_account_is_shown() -> None:
    assert "risk warning, halted" in line(BEGUN | {"live": LIVE | {"halted": True}}, WELL)
    assert "halted" not in line(BEGUN | {"live": LIVE}, WELL)


def test_paper_and_live_have_a_line_each() -> None:
    traded = BEGUN | {"trades": 7, "live": LIVE, "strategies": {"simulating": 5, "paper": 4, "live": 2}}
    assert line(traded, WELL).splitlines() == [
        "10 events  generation 0  5 simulating  4 on paper  "
        "7 round trips  0 open  $9,000.50  trading -$1.23  risk normal  healthy",
        "live account: 2 strategies  3 round trips  1 open  $1,496.55  trading +$0.42  risk warning",
    ]


BUSY = BEGUN | {
    "events": {"published": 0, "consumed": 1_234_567, "rejected": 0}, "generations": 120, "trades": 1_387,
    "open_positions": 21, "equity_usd": 109_920.77, "trading_usd": 12_345.67,
    "strategies": {"simulating": 1_990, "paper": 10, "live": 2}, "live": LIVE,
}  # fmt: skip


@pytest.mark.parametrize(
    ("width", "expected", "live"),
    [
        (
            120,
            "1,234,567 events  generation 120  10 on paper  1,387 round trips  21 open  "
            "$109,920.77  trading +$12,345.67  healthy",
            "live account: 2 strategies  3 round trips  1 open  $1,496.55  trading +$0.42  risk warning",
        ),
        (
            80,
            "1,234,567 events  1,387 round trips  $109,920.77  trading +$12,345.67  healthy",
            "live account: 2 strategies  $1,496.55  trading +$0.42  risk warning",
        ),
        (20, "1,234,567 events  healthy", "live account: 2 strategies  risk warning"),
    ],
)
def test_a_line_leaves_out_figures_where_the_terminal_is_narrow(width: int, expected: str, live: str) -> None:
    assert progress_line.progress_line(BUSY, WELL, "", None, width).splitlines() == [expected, live]
    halted = progress_line.progress_line(BUSY | {"halted": True, "live": None}, WELL, "", None, width)
    assert "risk normal, halted  healthy" in halted, "what is not normal is never left out"
    failing = health(executor=("stalled", "x" * 90))
    first, *rest = progress_line.progress_line(BUSY, failing, "", None, width).splitlines()
    assert first.startswith("degraded: executor stalled (xx") and all(len(one) <= max(width, 42) for one in rest)


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_each_line_whole(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=columns, height=30, color_system=None)
    monkeypatch.setattr(progress, "stderr_console", lambda: screen)
    with progress.Progress(2_000_000) as shown:
        shown.show(BUSY | {"live": None}, WELL, "")
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.file.getvalue())  # type: ignore[attr-defined]
    rows = [row for row in re.split(r"[\r\n]+", drawn) if "events" in row]
    assert rows and all(row.rstrip().endswith("healthy") and len(row) <= columns for row in rows), rows


def test_a_full_disk_is_named_and_parts_are_grouped_by_reason() -> None:
    reason = "could not extend file: No space left on device"
    shown = line(BEGUN, health("unhealthy", executor=("recovering", reason), position=("recovering", reason)))
    assert shown.startswith(f"disk full: unhealthy: executor, position recovering ({reason})  |  10 events")


names = st.sampled_from(["executor", "redis", "position", "signer"])
states = st.sampled_from([*FINE, "down", "starting", "recovering", "stalled"])
parts = st.dictionaries(names, st.tuples(states, st.sampled_from(["", "no response"])), min_size=1)


@given(
    st.sampled_from([{}, NOTHING, BEGUN]), parts, st.sampled_from(["degraded", "unhealthy"]), st.sampled_from(["", "x"])
)
def test_risk_is_never_shown_as_normal_without_the_problem(
    report: dict[str, Any], found: dict[str, tuple[str, str]], status: str, system_problem: str
) -> None:
    shown = line(report, health(status, **found), system_problem)
    assert not re.match(r"0 events|.*\b0 events", shown)
    before = shown.partition("risk normal")[0]
    assert status in before or "starting: " in before
    assert all(name in before for name, (state, _) in found.items() if state not in FINE)


def test_a_hanging_health_check_does_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    over, answers = threading.Event(), iter([WELL])

    def check() -> dict[str, Any]:
        for answer in answers:
            return answer
        over.wait()
        raise OSError("gone")

    watch = HealthWatch(check)
    assert wait_until(lambda: watch.latest()["status"] == "healthy", 10)
    monkeypatch.setattr(progress_line, "_STALE_S", 0.05)
    began = time.monotonic()
    assert wait_until(lambda: watch.latest()["status"] == "unknown", 10)
    assert "the dashboard has not responded" in watch.latest()["detail"]
    assert time.monotonic() - began < 5
    over.set()


def test_health_is_asked_for_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_line, "_ASK_EVERY_S", 0.2)
    asked: list[Any] = []
    began = time.monotonic()
    watch = HealthWatch(lambda: asked.append(None) or WELL)
    assert wait_until(lambda: bool(watch.latest()) and len(asked) == 4, 10)
    assert time.monotonic() - began >= 3 * 0.2
    assert wait_until(lambda: watch.latest()["status"] == "healthy", 10)


def test_without_a_terminal_no_line_is_repeated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_LINE_EVERY_S", 0.0)
    with progress.Progress(None) as shown:
        for report in (NOTHING, NOTHING, BEGUN, BEGUN):
            shown.show(report, WELL, "")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "waiting for the first event"
    assert second.startswith("10 events")
