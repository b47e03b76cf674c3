"""The commands of tapes: make one of a file of swaps, and say what one holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from memesnipe.cli.options import Json
from memesnipe.cli.output import print_json, print_table, say, time_of
from memesnipe.errors import TapeError

tapes = typer.Typer()


@tapes.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV or CSV.gz of swaps.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The tape to write.")],
    sol_usd: Annotated[float, typer.Option(help="Price of SOL in USD, for all of the file.", min=0.01)] = 200.0,
    json: Json = False,
) -> None:
    """Turn recorded swaps into a tape, in the order in which the chain ran them."""
    if not file.is_file():
        raise TapeError(f"no file at {file}")

    from memesnipe.market.swaps import import_swaps  # noqa: PLC0415 - pandas is slow to load
    from memesnipe.market.tape import write_tape  # noqa: PLC0415

    imported = import_swaps(file, sol_usd)
    write_tape(output, imported.tape)
    summary = imported.tape.summary()
    result = {
        **{key: summary[key] for key in ("events", "tokens")},
        "rejected": sum(imported.rejected.values()),
        "rejected_because": imported.rejected,
        "assumed_pools": imported.assumed_pools,
        **{key: summary[key] for key in ("from_ts", "to_ts")},
        "tape": str(output),
    }
    if json:
        print_json(result)
        return
    print_table(str(output), {**result, **_span(result)})
    if imported.assumed_pools:
        say(f"The file has no reserves: a pool was assumed for each of {imported.assumed_pools} tokens.")


@tapes.command("tape")
def tape_command(tape: Annotated[Path, typer.Argument(help="A tape.")], json: Json = False) -> None:
    """Say what a tape holds."""
    if not tape.is_file():
        raise TapeError(f"no tape at {tape}")

    from memesnipe.market.tape import read_tape  # noqa: PLC0415 - pyarrow is slow to load

    summary = read_tape(tape).summary()
    if json:
        print_json({**summary, "rejected": 0})
    else:
        print_table(str(tape), {**summary, **_span(summary)})


def _span(summary: Mapping[str, Any]) -> dict[str, str]:
    return {key: time_of(summary[key]) for key in ("from_ts", "to_ts")}
