"""The commands that check the system itself: derive a run again, and see what killing its parts changes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from memesnipe.cli.numbers import seed as seed_option
from memesnipe.cli.numbers import whole
from memesnipe.cli.options import Json
from memesnipe.runtime.terminal import print_json, print_table, say

checks = typer.Typer()


@checks.command("verify")
def verify_command(
    run: Annotated[int | None, whole("--run", 1, 2**31 - 1, "Which run; by default the newest one.")] = None,
    json: Json = False,
) -> None:
    """Derive a run again from its recorded events, and say where its books differ."""
    from memesnipe.cli.verify import verify  # noqa: PLC0415 - the engine is slow to load

    _show("verify", verify(run), json=json)


@checks.command("chaos")
def chaos_command(
    kills: Annotated[int, whole("--kills", 0, 10_000, "How many processes to kill.")] = 20,
    seed: Annotated[int, seed_option("Draws what is killed when.")] = 24,
    tape: Annotated[Path | None, typer.Option(help="The tape to replay; by default one is made.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folders that it worked in.")] = False,
    json: Json = False,
) -> None:
    """Replay a tape while parts of the system are killed, and see that the books are those of a calm replay."""
    from memesnipe.testing.chaos.run import chaos  # noqa: PLC0415 - the engine is slow to load

    _show("chaos", chaos(kills, seed, tape, keep=keep), json=json)


def _show(title: str, verdict: dict[str, Any], *, json: bool) -> None:
    """Print a verdict; one that is not clean ends the command with 1."""
    if json:
        print_json(verdict)
    else:
        print_table(title, {name: value for name, value in verdict.items() if name != "differences"})
        for difference in verdict["differences"]:
            say(difference)
    if not verdict["clean"]:
        raise typer.Exit(1)
