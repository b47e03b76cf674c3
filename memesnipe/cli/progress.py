"""Progress of a run on standard error: a live line on a terminal, a new line every few seconds elsewhere."""

import time
from types import TracebackType
from typing import Any, Self

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from memesnipe.cli.progress_line import Json, progress_line
from memesnipe.runtime.terminal import stderr_console

_LINE_EVERY_S = 5.0
_BAR = 24  # columns


class Progress:
    """Display of reports as they arrive."""

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._console = stderr_console()
        self._live = Live(console=self._console, refresh_per_second=4, transient=False)
        self._last_line = ""
        self._printed_at = -_LINE_EVERY_S
        self._problem: tuple[str, str] = ("", "")

    def __enter__(self) -> Self:
        """Start the display."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def print(self, text: str) -> None:
        """Print a sentence above the live line."""
        self._console.print(text, markup=False, soft_wrap=True)

    def show(self, report: Json, health: Json, system_problem: str) -> None:
        """Show the run's progress and health; a change of health is shown at once.

        Args:
            report: as `/api/report` returns it; {} before the first report.
            health: as `/api/health` returns it.
            system_problem: a problem that is not part of the health; "" without one.
        """
        if self._console.is_terminal:
            has_bar = bool(self._total and report)
            width = self._console.width - (_BAR + 1 if has_bar else 0)
            table = Table.grid(padding=(0, 1))
            cells: list[Any] = [Text(progress_line(report, health, system_problem, self._total, width))]
            if has_bar:
                cells.insert(0, ProgressBar(self._total, report["events"]["consumed"], width=_BAR))
            table.add_row(*cells)
            self._live.update(table)
            return
        line = progress_line(report, health, system_problem, self._total)
        now, problem = time.monotonic(), (system_problem, health["status"])
        is_due = problem != self._problem or now - self._printed_at >= _LINE_EVERY_S
        if is_due and line != self._last_line:
            self._last_line, self._printed_at, self._problem = line, now, problem
            self.print(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the display."""
        if self._console.is_terminal:
            self._live.stop()
