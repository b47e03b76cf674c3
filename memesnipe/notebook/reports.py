"""Tear sheets for notebooks."""

from pathlib import Path
from types import NoneType

from memesnipe.cli.outputs import check_output
from memesnipe.config.settings import load_settings
from memesnipe.notebook.arguments import check_type
from memesnipe.notebook.backtests import Backtest
from memesnipe.runtime.backtest_sheet import sheet_of
from memesnipe.runtime.families import load_families
from memesnipe.runtime.sheet_files import write_sheet


def report(result: Backtest, path: str | Path, png: str | Path | None = None) -> Path:
    """Write the tear sheet of a backtest, as `memesnipe report` does; return its path.

    Args:
        result: what `backtest` returned.
        path: the HTML file to write.
        png: a folder for the figures as pictures, made where it is missing; None for none.

    Raises:
        InputError: an argument is not valid, or the file cannot be written.
        MemeSnipeError: pictures are wanted, and matplotlib is not installed.
    """
    check_type("result", result, (Backtest,), "what backtest returned")
    check_type("path", path, (str, Path), "the path of a file")
    check_type("png", png, (str, Path, NoneType), "the path of a folder, or None")
    path = Path(path)
    check_output("path", path, (result.market.path,))
    settings, market = load_settings(), result.market
    families = load_families(settings)
    sheet = sheet_of(
        settings, families, market.tape, market.path.name, result.genome, result.outcome, result.capital_usd
    )  # fmt: skip
    write_sheet(sheet, path, None if png is None else Path(png))
    return path
