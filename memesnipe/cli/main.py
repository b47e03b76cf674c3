"""The command line: one function a command, errors as one line, results for people or as JSON."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from memesnipe import __version__
from memesnipe.cli.evolution import evolution
from memesnipe.cli.orders_by_hand import by_hand
from memesnipe.cli.output import print_json, print_table, time_of
from memesnipe.cli.research import research
from memesnipe.cli.strategies import strategies
from memesnipe.errors import InputError, MemeSnipeError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Breeds memecoin strategies, simulates them on the whole market and trades the best on paper. "
    "Research software: nothing here is advice, and real money can be lost in full.",
)
app.add_typer(strategies)
app.add_typer(research)
app.add_typer(evolution)
app.add_typer(by_hand)
_errors = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV or CSV.gz of swaps.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The tape to write.")],
    sol_usd: Annotated[float, typer.Option(help="Price of SOL in USD, for all of the file.", min=0.01)] = 200.0,
    json: Json = False,
) -> None:
    """Turn recorded swaps into a tape, in the order in which the chain ran them."""
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
        _errors.print(f"The file has no reserves: a pool was assumed for each of {imported.assumed_pools} tokens.")


@app.command("tape")
def tape_command(tape: Annotated[Path, typer.Argument(help="A tape.")], json: Json = False) -> None:
    """Say what a tape holds."""
    from memesnipe.market.tape import read_tape  # noqa: PLC0415

    summary = read_tape(tape).summary()
    if json:
        print_json({**summary, "rejected": 0})
    else:
        print_table(str(tape), {**summary, **_span(summary)})


def _span(summary: Mapping[str, Any]) -> dict[str, str]:
    return {key: time_of(summary[key]) for key in ("from_ts", "to_ts")}


@app.command("up")
def up_command(
    feed: Annotated[str, typer.Option(help="Where events come from: synthetic or replay.")] = "synthetic",
    tape: Annotated[Path | None, typer.Option(help="The tape that the replay feed plays.")] = None,
    speed: Annotated[
        str | None,
        typer.Option(help="Event time over real time, or max. Default: 60 for synthetic, 1 for replay."),
    ] = None,
    until_end: Annotated[bool, typer.Option("--until-end", help="Stop when the feed has ended.")] = False,
    report: Annotated[Path | None, typer.Option(help="Also write the report to this file as JSON.")] = None,
    json: Json = False,
) -> None:
    """Start everything and run: servers, actors, dashboard. Ctrl-C stops it all."""
    from memesnipe.cli.up import up  # noqa: PLC0415 - Ray is slow to load

    up(feed=feed, tape=tape, speed=speed, until_end=until_end, report=report, as_json=json)


@app.command("down")
def down_command(json: Json = False) -> None:
    """Stop what runs in this folder, from another terminal."""
    from memesnipe.cli.control import down  # noqa: PLC0415

    stopped = down()
    if json:
        print_json({"stopped": stopped})
    else:
        _errors.print("Stopped." if stopped else "Nothing is running in this folder.")


@app.command("status")
def status_command(json: Json = False) -> None:
    """Say how what runs in this folder is doing."""
    from memesnipe.cli.control import status  # noqa: PLC0415

    state = status()
    if json:
        print_json(state)
        return
    if not state["running"]:
        _errors.print("Nothing is running in this folder. Start it with `memesnipe up`.")
        return
    print_table("status", {key: value for key, value in state.items() if key != "parts"})
    print_table("parts", {name: f"{part['state']} {part['detail']}" for name, part in state["parts"].items()})


@app.command("verify")
def verify_command(
    run: Annotated[int | None, typer.Option(help="Which run; by default the newest one.")] = None, json: Json = False
) -> None:
    """Derive a run again from its recorded events, and say where its books differ."""
    from memesnipe.cli.verify import verify  # noqa: PLC0415 - the engine is slow to load

    verdict = verify(run)
    if json:
        print_json(verdict)
    else:
        print_table("verify", {name: value for name, value in verdict.items() if name != "differences"})
        for difference in verdict["differences"]:
            _errors.print(difference, markup=False, soft_wrap=True)
    if not verdict["clean"]:
        raise typer.Exit(1)


@app.command("chaos")
def chaos_command(
    kills: Annotated[int, typer.Option(min=0, help="How many processes to kill.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Draws what is killed when.")] = 24,
    tape: Annotated[Path | None, typer.Option(help="The tape to replay; by default one is made.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folders that it worked in.")] = False,
    json: Json = False,
) -> None:
    """Replay a tape while parts of the system are killed, and see that the books are those of a calm replay."""
    from memesnipe.cli.chaos import chaos  # noqa: PLC0415 - the engine is slow to load

    verdict = chaos(kills, seed, tape, keep=keep)
    if json:
        print_json(verdict)
    else:
        print_table("chaos", {name: value for name, value in verdict.items() if name != "differences"})
        for difference in verdict["differences"]:
            _errors.print(difference, markup=False, soft_wrap=True)
    if not verdict["clean"]:
        raise typer.Exit(1)


@app.command("sql")
def sql_command(
    query: Annotated[str, typer.Argument(help="One SQL query; it cannot write.")], json: Json = False
) -> None:
    """Ask the database of what runs in this folder."""
    from memesnipe.cli.control import ask  # noqa: PLC0415

    rows = ask(query)
    if json:
        print_json({"rows": rows})
    else:
        for row in rows:
            typer.echo("\t".join(str(value) for value in row.values()))


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def run() -> None:
    """Run the command line; every error of ours is one line and its own exit code."""
    try:
        app()
    except MemeSnipeError as error:
        kind = "input" if isinstance(error, InputError) else "error"
        _errors.print(f"memesnipe: {kind}: {error}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
