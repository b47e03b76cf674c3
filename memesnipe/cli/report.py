"""The command `report`: a tear sheet of a run, or of a backtest, as one file that needs no network."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memesnipe.bounds import MAX_USD
from memesnipe.cli import completion
from memesnipe.cli.inputs import check_folder, check_tape
from memesnipe.cli.numbers import integer_parser, number_option
from memesnipe.cli.options import Json
from memesnipe.cli.outputs import check_output
from memesnipe.errors import InputError
from memesnipe.runtime.terminal import print_compile_notice, print_json, print_table

if TYPE_CHECKING:  # slow to load
    from memesnipe.tearsheet.sheet import Sheet

report = typer.Typer()

_MAX_RUN = 2**31 - 1
_PARQUET = b"PAR1"  # the beginning of a tape


@report.command("report")
def report_command(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|TAPE|STRATEGY|FILE]",
            help="A run's number (default: the newest), or a tape. With --tape: a family's name, or a genome's file.",
            autocompletion=completion.families,
        ),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The HTML file to write.")] = Path("report.html"),
    png: Annotated[Path | None, typer.Option(help="Also write the figures as PNG files to this folder.")] = None,
    tape: Annotated[Path | None, typer.Option(help="Report a backtest on this tape, or the tape.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="Of the family, NAME=NUMBER; repeatable.")] = None,
    capital: Annotated[
        float | None, number_option("--capital", 0.01, MAX_USD, "USD, of a backtest. Default: SHADOW_CAPITAL_USD.")
    ] = None,
    maps: Annotated[bool, typer.Option("--map/--no-map", help="Map a backtest by its parameters: 72 more.")] = True,
    json: Json = False,
) -> None:
    """Write a tear sheet: equity, drawdown, metrics, returns by month and day, trades on prices, costs."""
    if tape is None and what is not None and _is_tape(what):
        tape, what = Path(what), None
    run_id = None
    if tape is None:
        if param or capital is not None:
            raise InputError("--param and --capital are of a backtest: add --tape TAPE")
        run_id = _run_of(what)
    else:
        check_tape("--tape", tape)
        if what is None and param:
            raise InputError("--param is of a strategy: `memesnipe report STRATEGY --tape TAPE --param NAME=NUMBER`")
    check_output("-o", output, (tape, Path(what) if what is not None and tape is not None else None))
    if png is not None and png.exists() and not png.is_dir():
        raise InputError(f"--png {png}: is not a folder; name one, which is made where it is missing")
    if png is not None:
        check_folder("--png", png)

    started = time.perf_counter()
    sheet = _of_run(run_id) if tape is None else _of_tape(tape, what, param or [], capital, maps=maps)
    written = _write(sheet, output, png)
    _print({**written, "seconds": round(time.perf_counter() - started, 3)}, json=json)


def _is_tape(what: str) -> bool:
    """Return whether an argument names a tape, by its name or by how the file begins."""
    path = Path(what)
    if path.suffix == ".tape" or not path.is_file():
        return path.suffix == ".tape"
    with path.open("rb") as file:
        return file.read(len(_PARQUET)) == _PARQUET


def _run_of(what: str | None) -> int | None:
    """Return the number of a run; None for the newest.

    Raises:
        InputError: the text is not a number.
    """
    if what is None:
        return None
    if not what.isascii() or not what.isdigit():
        raise InputError(f"{ascii(what)[1:-1][:60]}: is no number of a run; for a backtest add --tape TAPE")
    return integer_parser("RUN", 1, _MAX_RUN)(what)


def _of_run(run_id: int | None) -> "Sheet":
    from memesnipe.config.home import Home  # noqa: PLC0415
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.runtime.database import NO_RUN, open_database  # noqa: PLC0415 - slow to load
    from memesnipe.runtime.run_sheet import run_sheet  # noqa: PLC0415
    from memesnipe.storage.views import latest_run  # noqa: PLC0415

    settings = load_settings()
    home = Home(settings.installation.memesnipe_home.resolve())
    with open_database(settings) as (engine, _):
        one_time = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with one_time.connect() as connection:
            found = run_id or latest_run(connection)
            if found is None:
                raise InputError(NO_RUN)
            return run_sheet(connection, found, home.run(found).event_log)


def _of_tape(tape: Path, what: str | None, params: list[str], capital: float | None, *, maps: bool) -> "Sheet":
    from memesnipe.cli.specs import genome_of  # noqa: PLC0415 - numba is slow to load
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.runtime.backtest_sheet import tested_sheet  # noqa: PLC0415
    from memesnipe.runtime.families import load_families  # noqa: PLC0415
    from memesnipe.runtime.tape_sheet import tape_sheet  # noqa: PLC0415

    settings = load_settings()
    families = load_families(settings)
    if what is None:
        print_compile_notice()
        return tape_sheet(settings, families, tape, capital, maps=maps)
    is_file = Path(what).is_file()
    genome = genome_of(families, None if is_file else what, params, Path(what) if is_file else None)
    print_compile_notice()
    return tested_sheet(settings, families, tape, genome, capital, maps=maps)


def _write(sheet: "Sheet", output: Path, png: Path | None) -> dict[str, Any]:
    """Write the files; return what was written."""
    from memesnipe.runtime.sheet_files import write_sheet  # noqa: PLC0415 - numpy is slow to load

    pictures = write_sheet(sheet, output, png)
    return {
        "report": str(output),
        "bytes": output.stat().st_size,
        "accounts": {account.name.lower(): len(account.trips) for account in sheet.accounts},
        "pictures": [str(path) for path in pictures],
    }


def _print(written: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(written)
        return
    shown = {"report": written["report"], "round trips": written["accounts"], "seconds": written["seconds"]}
    print_table("report", shown | ({"pictures": len(written["pictures"])} if written["pictures"] else {}))
