"""Progress of a run, on standard error: a live line on a terminal, a line every few seconds elsewhere."""

import time
from types import TracebackType
from typing import Any, Self

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from memesnipe.cli.progress_line import Json, progress_line
from memesnipe.runtime.terminal import errors

_LINE_EVERY_S = 5.0


class Progress:
    """Shows reports as they come."""

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._console = errors()
        self._live = Live(console=self._console, refresh_per_second=4, transient=False)
        self._last_line = ""
        self._said_at = -_LINE_EVERY_S
        self._wrong: tuple[str, str] = ("", "")

    def __enter__(self) -> Self:
        """Begin."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def say(self, text: str) -> None:
        """Show a sentence."""
        self._console.print(text, markup=False, soft_wrap=True)

    def show(self, report: Json, health: Json, trouble: str) -> None:
        """Show how far the run is, and how it is: at once when that changes."""
        line = progress_line(report, health, trouble, self._total)
        if self._console.is_terminal:
            table = Table.grid(padding=(0, 1))
            cells: list[Any] = [Text(line)]
            if self._total and report:
                cells.insert(0, ProgressBar(self._total, report["events"]["consumed"], width=24))
            table.add_row(*cells)
            self._live.update(table)
            return
        now, wrong = time.monotonic(), (trouble, health["status"])
        is_due = wrong != self._wrong or now - self._said_at >= _LINE_EVERY_S
        if is_due and line != self._last_line:
            self._last_line, self._said_at, self._wrong = line, now, wrong
            self.say(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        if self._console.is_terminal:
            self._live.stop()
