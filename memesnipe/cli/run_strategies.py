"""The command `strategies`: the strategies of the newest run, with the ids that other commands take."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from memesnipe.cli.numbers import integer_option
from memesnipe.cli.options import Json
from memesnipe.cli.strategy_rows import cells, strategy_row, why_none
from memesnipe.cli.vocabulary import STRATEGY_TITLES
from memesnipe.runtime.terminal import print_json, print_message, print_rows

run_strategies = typer.Typer()

_LEGEND: Final = (
    "capital: what it may use of paper or live money\n"
    "simulated: of its account in the simulation, which has its own capital, since it was added"
)


class Mode(StrEnum):
    """The mode of a strategy."""

    LIVE = "live"
    PAPER = "paper"
    SIMULATING = "simulating"
    RETIRED = "retired"


class Sort(StrEnum):
    """The order of the list, by names of `memesnipe.storage.strategy_list.SortKey`, which is slow to load."""

    RANK = "rank"
    TRADES = "trades"
    GENERATION = "generation"


@run_strategies.command("strategies")
def strategies_command(
    mode: Annotated[Mode | None, typer.Option(help="Only those in this mode. Default: all.")] = None,
    sort: Annotated[
        Sort, typer.Option(help="By mode and return, or by the most round trips (trades), or the newest first.")
    ] = Sort.RANK,
    limit: Annotated[int, integer_option("--limit", 1, 100_000, "Maximum number of rows.")] = 50,
    json: Json = False,
) -> None:
    """List the strategies of the newest run, with the ids that `promote` and `explain` take."""
    from memesnipe.cli.manual_commands import strategies_of_run  # noqa: PLC0415 - SQLAlchemy is slow to load

    found = strategies_of_run(limit + 1, None if mode is None else mode.value, sort.value)
    rows = [strategy_row(strategy) for strategy in found.strategies[:limit]]
    is_cut = len(found.strategies) > limit
    if json:
        print_json({"run_id": found.run_id, "strategies": rows, "cut": is_cut})
        return
    if not rows:
        print_message(why_none(found.report, None if mode is None else mode.value, found.learned))
        return
    titles = list(STRATEGY_TITLES.values())
    print_rows(f"strategies of run {found.run_id}", titles, [cells(row, [*STRATEGY_TITLES]) for row in rows])
    print_message(_LEGEND)
    if is_cut:
        print_message(f"Only the first {limit:,} are shown; raise --limit for more.")
