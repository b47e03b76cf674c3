"""The command `demo`: three minutes of the real system on a synthetic market, told from its records."""

from pathlib import Path
from typing import Annotated

import typer

from memesnipe.cli.numbers import number_option
from memesnipe.cli.options import Json
from memesnipe.cli.outputs import check_output
from memesnipe.runtime.terminal import print_json

demo = typer.Typer()


@demo.command("demo")
def demo_command(
    minutes: Annotated[float, number_option("--minutes", 0.2, 120, "Minutes of trading after the start.")] = 2.0,
    speed: Annotated[float, number_option("--speed", 1, 1_000, "Ratio of event time to real time.")] = 120.0,
    output: Annotated[Path, typer.Option("-o", "--output", help="The report that it writes.")] = Path(
        "memesnipe-demo.html"
    ),
    json: Json = False,
) -> None:
    """Show the whole system in three minutes: bred, judged, promoted, traded on paper, killed, back, and verified.

    It runs on a synthetic market, needs no key and no network, has a folder of its own that is removed, and never
    trades live. What it says comes from the run's records; what did not occur is said too. Ctrl-C ends all of it.
    """
    check_output("-o", output)
    from rich.console import Console  # noqa: PLC0415 - slow to load
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from memesnipe.cli.demo_run import Demo  # noqa: PLC0415 - the database is slow to load
    from memesnipe.cli.demo_system import DemoSystem  # noqa: PLC0415
    from memesnipe.cli.signals import raise_interrupt  # noqa: PLC0415

    raise_interrupt()
    console = Console(stderr=json, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress,
        DemoSystem(speed) as system,
    ):
        bar = progress.add_task("trading on paper", total=1.0)
        said = Demo(
            system,
            lambda text: console.print(text, markup=False, soft_wrap=not console.is_terminal),
            lambda share: progress.update(bar, completed=share),
        ).run(minutes * 60.0, output)
    if json:
        print_json(said)
