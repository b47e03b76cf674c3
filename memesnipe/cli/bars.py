"""Progress bars of the commands, and the columns that several share: the share done, the rate, and the time left."""

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from memesnipe.runtime.terminal import stderr_console


def progress_of(*columns: ProgressColumn, transient: bool = False) -> Progress:
    """Return a progress bar on standard error, which shows nothing where that is no terminal.

    Args:
        columns: of the bar.
        transient: whether it disappears at its end.
    """
    console = stderr_console()
    return Progress(*columns, console=console, transient=transient, disable=not console.is_terminal)


class RateColumn(ProgressColumn):
    """What is done in a second, as a number with its unit."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Return the rate; "" before it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {self._unit}/s", style="progress.data.speed")


def event_columns() -> tuple[ProgressColumn, ...]:
    """Return the columns of a bar over events."""
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        RateColumn("events"),
        TimeRemainingColumn(),
    )
