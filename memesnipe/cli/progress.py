"""Progress of a run, on standard error: a live line on a terminal, a line every few seconds elsewhere."""

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

_LINE_EVERY_S = 5.0


class Progress:
    """Shows reports as they come."""

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=4, transient=False)
        self._said = ""
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        """Begin."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def say(self, text: str) -> None:
        """Show a sentence, but not the same one twice in a row."""
        if text != self._said:
            self._console.print(text)
        self._said = text

    def show(self, report: dict[str, Any]) -> None:
        """Show how far the run is."""
        line = self._line(report)
        if self._console.is_terminal:
            table = Table.grid(padding=(0, 1))
            cells: list[Any] = [line]
            if self._total:
                cells.insert(0, ProgressBar(self._total, report["events"]["consumed"], width=24))
            table.add_row(*cells)
            self._live.update(table)
        elif time.monotonic() - self._last_line > _LINE_EVERY_S:
            self._last_line = time.monotonic()
            self._console.print(line, soft_wrap=True)

    def _line(self, report: dict[str, Any]) -> str:
        events, strategies = report["events"], report["strategies"]
        of = f"/{self._total:,}" if self._total else ""
        equity = report["equity_usd"]
        return (
            f"{events['consumed']:,}{of} events  generation {report['generations']}  "
            f"{strategies['simulating']} simulating  {strategies['paper']} on paper  "
            f"{report['trades']} trades  {report['open_positions']} open  "
            f"{'-' if equity is None else f'${equity:,.2f}'}  risk {report['risk_level']}"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        if self._console.is_terminal:
            self._live.stop()
