"""The command `monitor`: the running system in the terminal, until Ctrl-C."""

import time
from typing import Annotated

import typer

from memesnipe.cli.numbers import number_option
from memesnipe.cli.options import Json
from memesnipe.cli.signals import raise_interrupt
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.terminal import print_json, print_view

monitor = typer.Typer()


@monitor.command("monitor")
def monitor_command(
    once: Annotated[bool, typer.Option("--once", help="Show it once; exit with 1 unless it is healthy.")] = False,
    every: Annotated[float, number_option("--every", 0.2, 3_600, "Seconds between two looks.")] = 2.0,
    json: Json = False,
) -> None:
    """Show health, money, risk and the best strategies of the running system; Ctrl-C ends only the view."""
    from memesnipe.cli.monitor_view import read_state, view  # noqa: PLC0415

    state = read_state()
    if not state["running"]:
        raise MemeSnipeError("nothing runs in this folder; start it with `memesnipe up`")
    if json:
        print_json(state)
    if json or once:
        if not json:
            print_view(view(state))
        raise typer.Exit(0 if state["health"]["status"] == "healthy" else 1)

    from rich.live import Live  # noqa: PLC0415 - slow to load

    raise_interrupt()
    try:
        with Live(view(state), screen=False, auto_refresh=False) as live:
            while state["running"]:
                time.sleep(every)
                state = read_state()
                live.update(view(state), refresh=True)
    except KeyboardInterrupt:
        return
