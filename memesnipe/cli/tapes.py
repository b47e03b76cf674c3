"""The commands of tapes: make one of a file of swaps, and say what one holds."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memesnipe.cli.numbers import whole
from memesnipe.cli.options import Json
from memesnipe.cli.outputs import check_output
from memesnipe.errors import TapeError
from memesnipe.runtime.terminal import print_json, print_table, say, time_of

if TYPE_CHECKING:  # pandas is slow to load
    from memesnipe.tapes.importer import Imported

tapes = typer.Typer()


@tapes.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV of swaps, as it is or as .gz, .zip, .zst, .bz2 or .xz.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The tape to write.")],
    sol_usd: Annotated[
        str | None,
        typer.Option(help="Price of SOL in USD, or a CSV file with ts,price. Default: 200, which is said."),
    ] = None,
    decimals: Annotated[
        int | None, whole("--decimals", 0, 12, "Of every token, where the file has no such column. Default: 6.")
    ] = None,
    json: Json = False,
) -> None:
    """Turn recorded swaps into a tape, in the order in which the chain ran them."""
    if not file.is_file():
        raise TapeError(f"{file} is a folder, not a file" if file.is_dir() else f"no file at {file}")
    check_output("-o", output, (file, None if sol_usd is None else Path(sol_usd)))

    from memesnipe.market.assumptions import describe  # noqa: PLC0415
    from memesnipe.tapes.importer import import_swaps  # noqa: PLC0415
    from memesnipe.tapes.tape import write_tape  # noqa: PLC0415

    imported = import_swaps(file, sol_usd, decimals=decimals)
    write_tape(output, imported.tape)
    result = _reply(imported, output)
    if json:
        print_json({**result, "assumptions": describe(imported.tape.assumptions)})
        return
    print_table(str(output), {**result, **_span(result)})
    for sentence in describe(imported.tape.assumptions):
        say(sentence)


def _reply(imported: "Imported", output: Path) -> dict[str, Any]:
    summary = imported.tape.summary()
    return {
        **{key: summary[key] for key in ("events", "tokens")},
        "rejected": sum(imported.rejected.values()),
        "rejected_because": imported.rejected,
        "duplicates": imported.duplicates,
        "order": imported.order,
        "time_unit": imported.time_unit,
        "assumed_pools": imported.assumed_pools,
        **{key: summary[key] for key in ("from_ts", "to_ts")},
        "tape": str(output),
    }


@tapes.command("tape")
def tape_command(tape: Annotated[Path, typer.Argument(help="A tape.")], json: Json = False) -> None:
    """Say what a tape holds."""
    if not tape.is_file():
        raise TapeError(f"{tape} is a folder, not a tape" if tape.is_dir() else f"no tape at {tape}")

    from memesnipe.market.assumptions import describe  # noqa: PLC0415 - pyarrow is slow to load
    from memesnipe.tapes.tape import read_tape  # noqa: PLC0415

    recorded = read_tape(tape, now_ns=time.time_ns())
    summary = recorded.summary() | _as_imported(recorded.assumptions)
    sentences = describe(recorded.assumptions)
    if json:
        print_json({**summary, "assumptions": sentences})
        return
    print_table(str(tape), {**summary, **_span(summary)})
    for sentence in sentences:
        say(sentence)


def _as_imported(assumptions: Mapping[str, Any]) -> dict[str, Any]:
    """What the import left out and changed, as its own reply said it."""
    rejected = assumptions.get("rejected", {})
    return {
        "rejected": sum(rejected.values()),
        "rejected_because": rejected,
        "duplicates": assumptions.get("duplicates", {}).get("rows", 0),
        "order": assumptions.get("order", "as in the file"),
        "time_unit": assumptions.get("time_unit", "ns"),
    }


def _span(summary: Mapping[str, Any]) -> dict[str, str]:
    return {key: time_of(summary[key]) for key in ("from_ts", "to_ts")}
