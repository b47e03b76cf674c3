"""The commands `list-strategies` and `new-strategy`."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from memesnipe.cli.options import Json
from memesnipe.runtime.families import load_families
from memesnipe.runtime.terminal import print_json, print_table

strategies = typer.Typer()


@strategies.command("list-strategies")
def list_strategies(json: Json = False) -> None:
    """Show the families that evolution can use: the bundled ones and those in the folders of STRATEGY_PATH."""
    from memesnipe.config.settings import load_settings  # noqa: PLC0415

    found = {
        name: {
            "parameters": {
                key: {"low": p.low, "high": p.high, "default": p.default, "log": p.log, "unit": p.unit}
                for key, p in strategy.params.items()
            },
            "warnings": list(strategy.warnings),
            "about": strategy.about,
        }
        for name, strategy in load_families(load_settings()).items()
    }
    if json:
        print_json(found)
    else:
        print_table("strategies", {name: item["about"] for name, item in found.items()})


@strategies.command("new-strategy")
def new_strategy_command(
    name: Annotated[str, typer.Argument(help="The family's name, such as fast_dip_5m.")],
    folder: Annotated[Path, typer.Option(help="The folder to write it to.")] = Path("my_strategies"),
    json: Json = False,
) -> None:
    """Write a new strategy from the template, with a page and passing tests, to edit from there."""
    from memesnipe.cli.new_strategy import new_strategy  # noqa: PLC0415 - numba is slow to load
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.sdk.registry import BUNDLED  # noqa: PLC0415

    known = load_settings().simulation.strategy_folders
    written = new_strategy(name, folder, known)
    steps = [f"run its tests: {sys.executable} -m pytest {written.test}"]
    if folder.resolve() not in (BUNDLED, *known):
        path = os.pathsep.join(map(str, (*known, folder.resolve())))
        steps.append(f"make MemeSnipe discover it: set STRATEGY_PATH={path} in .env")
    files = {"strategy": str(written.strategy), "doc": str(written.doc), "test": str(written.test)}
    if json:
        print_json({"family": name, **files, "next": steps})
    else:
        print_table(name, files)
        typer.echo("\n".join(f"Next, {step}" for step in steps))
