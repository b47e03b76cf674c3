"""The commands of tapes: `import` converts a file of swaps, `tape` summarises a tape."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memesnipe.cli.inputs import check_is_no_strategy
from memesnipe.cli.numbers import integer_option
from memesnipe.cli.options import Json
from memesnipe.cli.outputs import check_output
from memesnipe.errors import InputError, TapeError
from memesnipe.market.times import utc_text
from memesnipe.runtime.terminal import print_json, print_message, print_table, without_controls

if TYPE_CHECKING:  # pandas is slow to load
    from memesnipe.tapes.importer import Imported

tapes = typer.Typer()
_FEW: Final = 0.02  # share of trades that are left out of a file that was read well
_SHOWN_REASONS: Final = 3


@tapes.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="Swaps as CSV, JSON, JSON by lines or Parquet, plain or compressed.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The tape to write.")],
    sol_usd: Annotated[
        str | None,
        typer.Option(help="Price of SOL in USD, or a CSV file with ts,price. Default: 200, with a notice."),
    ] = None,
    decimals: Annotated[
        int | None,
        integer_option("--decimals", 0, 12, "Decimals of every token, if the file has no such column. Default: 6."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--map", help="Columns and units: field=column[:unit],... as in ts=time:ms,sol_amount=x:lamports."
        ),
    ] = None,
    candles: Annotated[bool, typer.Option("--candles", help="Make up to four trades of each candle.")] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Write the rows left out, with their numbers and reasons, as CSV.")
    ] = None,
    json: Json = False,
) -> None:
    """Convert recorded swaps to a tape, in the order of their execution on the chain."""
    if not file.is_file():
        found = f"{file} is a folder, not a file" if file.is_dir() else f"no file at {file}"
        raise TapeError(f"{found}; name a file of swaps")
    check_is_no_strategy(file)
    inputs = (file, None if sol_usd is None else Path(sol_usd))
    check_output("-o", output, inputs)
    if rejects is not None:
        check_output("--rejects", rejects, (*inputs, output))
        if rejects.resolve() == output.resolve():
            raise InputError(f"--rejects {rejects}: is the tape that -o names; name another file")

    from memesnipe.market.assumptions import describe  # noqa: PLC0415
    from memesnipe.tapes.importer import import_swaps  # noqa: PLC0415
    from memesnipe.tapes.tape import write_tape  # noqa: PLC0415

    imported = import_swaps(file, sol_usd, decimals=decimals, columns=columns, candles=candles)
    write_tape(output, imported.tape)
    left_out = {} if rejects is None else {"rejects": str(rejects), "rejects_rows": imported.left_out.write(rejects)}
    result = _reply(imported, output)
    _print_reading(imported)
    if left_out:
        print_message(f"{left_out['rejects_rows']:,} rows left out are in {rejects}.")
    if json:
        how = {"layout": imported.layout, "units": imported.units, **left_out}
        print_json({**result, **how, "assumptions": describe(imported.tape.assumptions)})
        return
    print_table(str(output), {**result, **_span(result)})
    for sentence in describe(imported.tape.assumptions):
        print_message(sentence)


def _print_reading(imported: "Imported") -> None:
    """Print how the file was read and its first trades, on standard error: a wrong guess shows in their prices."""
    units = ", ".join(f"{name} {unit}" for name, unit in imported.units.items() if unit)
    print_message(f"Read as {imported.layout}: {units}. The first trades:")
    for line in imported.preview:
        print_message(f"  {line}")
    left_out = sum(imported.rejected.values())
    rows = left_out + imported.duplicates + len(imported.tape.events)
    if 0 < left_out <= _FEW * rows:
        reasons = "; ".join(
            f"{reason} ({count:,})" for reason, count in list(imported.rejected.items())[:_SHOWN_REASONS]
        )
        print_message(f"Left out: {left_out:,} of {rows:,} trades: {reasons}. --rejects FILE shows them.")
    if left_out > _FEW * rows:
        reason, count = next(iter(imported.rejected.items()))
        print_message(
            f"LEFT OUT: {left_out:,} of {rows:,} trades ({left_out / rows:.0%}), mostly because {reason} ({count:,}). "
            "If that is not what they are, the file was read wrongly: --rejects FILE shows them."
        )


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
def tape_command(
    tape: Annotated[Path, typer.Argument(help="A tape.")],
    head: Annotated[int, integer_option("--head", 0, 1000, "Show so many of the first events too. Default: 0.")] = 0,
    json: Json = False,
) -> None:
    """Summarise the contents of a tape."""
    if not tape.is_file():
        found = f"{tape} is a folder, not a tape" if tape.is_dir() else f"no tape at {tape}"
        raise TapeError(f"{found}; `memesnipe import`, `record` and `synth` make tapes")

    from memesnipe.market.assumptions import describe  # noqa: PLC0415 - pyarrow is slow to load
    from memesnipe.tapes.tape import read_tape  # noqa: PLC0415

    recorded = read_tape(tape, now_ns=time.time_ns())
    summary = {"feeds": recorded.assumptions.get("feeds")} | recorded.summary() | _as_imported(recorded.assumptions)
    sentences = describe(recorded.assumptions)
    first = list(recorded.messages(0, head))
    if json:
        print_json({**summary, "assumptions": sentences, **({"head": first} if head else {})})
        return
    print_table(str(tape), {**summary, **_span(summary)})
    if first:
        print_table("first events", {str(number): _event_text(event) for number, event in enumerate(first, 1)})
    for sentence in sentences:
        print_message(sentence)


def _event_text(event: Mapping[str, Any]) -> str:
    """Return the fields of an event that are not empty, in one line."""
    values = [f"{name} {without_controls(str(value))}" for name, value in event.items() if value and name != "ts"]
    return f"{utc_text(event['ts'])}, {', '.join(values)}"


def _as_imported(assumptions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows that the import rejected and its changes, as in the reply of `import`."""
    rejected = assumptions.get("rejected", {})
    return {
        "rejected": sum(rejected.values()),
        "rejected_because": rejected,
        "duplicates": assumptions.get("duplicates", {}).get("rows", 0),
        "order": assumptions.get("order", "as in the file"),
        "time_unit": assumptions.get("time_unit", "ns"),
    }


def _span(summary: Mapping[str, Any]) -> dict[str, str]:
    return {key: utc_text(summary[key]) for key in ("from_ts", "to_ts")}
