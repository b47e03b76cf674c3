"""Progress bars show the rate, and the time left as far as it is known."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from memesnipe.cli import evolve
from memesnipe.cli.bars import event_columns


def test_a_bar_over_events_has_a_rate_and_the_time_left() -> None:
    clock = iter(range(100))
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    bars = Progress(*event_columns(), console=console, get_time=lambda: float(next(clock)))
    task = bars.add_task("backtest", total=4_000)
    for _ in range(3):
        bars.advance(task, 1_000)
    *_, done, rate, left = (column(bars.tasks[0]) for column in bars.columns)
    assert str(rate).endswith(" events/s") and float(str(rate).split()[0].replace(",", "")) > 0
    assert ("75%" in str(done), "-" in str(left)) == (True, False)


@pytest.mark.parametrize(("total", "is_known"), [(20, True), (None, False)])
def test_a_search_shows_the_time_left_until_its_last_generation(
    monkeypatch: pytest.MonkeyPatch, total: int | None, is_known: bool
) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=150)
    monkeypatch.setattr(evolve, "stderr_console", lambda: console)
    made: list[Progress] = []

    def start(progress: Progress) -> None:
        made.append(progress)

    monkeypatch.setattr(Progress, "start", start)
    with evolve._progress(total) as report_progress:
        report_progress("generation 1 of 2", 10)
        (bars,) = made
        assert (bars.tasks[0].total == total, bars.tasks[0].total is not None) == (True, is_known)
        report_progress("generation 2 of 2", 10)
        report_progress("tuning the best", 5)
        assert (bars.tasks[0].description, bars.tasks[0].total) == ("tuning the best", None)
