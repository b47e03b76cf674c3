"""The command `strategies`: the strategies of the newest run, with the ids that other commands take."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from memesnipe.cli.numbers import integer_option
from memesnipe.cli.options import Json
from memesnipe.cli.vocabulary import ROUND_TRIPS
from memesnipe.number_text import signed
from memesnipe.runtime.terminal import print_json, print_message, print_rows

run_strategies = typer.Typer()


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

    run_id, found = strategies_of_run(limit + 1, None if mode is None else mode.value, sort.value)
    rows = [_row(strategy) for strategy in found[:limit]]
    if json:
        print_json({"run_id": run_id, "strategies": rows, "cut": len(found) > limit})
        return
    _print(run_id, rows)
    if len(found) > limit:
        print_message(f"Only the first {limit:,} are shown; raise --limit for more.")


def _row(strategy: dict[str, Any]) -> dict[str, Any]:
    result = strategy["result"] or {}
    return {
        **{name: strategy[name] for name in ("spec_id", "mode", "generation", "allocation_usd")},
        "families": [gene["family"] for gene in strategy["genome"]["signals"]],
        "trades": result.get("trades"),
        "total_return": result.get("total_return"),
    }


def _print(run_id: int, rows: list[dict[str, Any]]) -> None:
    columns = ("spec_id", "mode", "total_return", ROUND_TRIPS, "allocation_usd", "generation", "families")
    print_rows(f"strategies of run {run_id}", columns, [_cells(row) for row in rows])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    gained, trades = row["total_return"], row["trades"]
    return (
        row["spec_id"], row["mode"], "-" if gained is None else signed(gained, ".2%"),
        "-" if trades is None else f"{trades:,}", f"{row['allocation_usd']:,.2f}", str(row["generation"]),
        " + ".join(row["families"]),
    )  # fmt: skip
