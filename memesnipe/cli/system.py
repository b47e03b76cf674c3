"""The commands `up`, `down` and `status`. Each imports its implementation when it runs."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from memesnipe.cli import completion
from memesnipe.cli.account_figures import OF_ACCOUNTS, print_accounts
from memesnipe.cli.feed_choice import feed_choice
from memesnipe.cli.inputs import check_history
from memesnipe.cli.mode_choice import LocalOptions, ModeName, check_live_market, local_feed, mode_choice
from memesnipe.cli.numbers import integer_option, number_option
from memesnipe.cli.options import BACKGROUND_OPTION, FEED_HELP, Json
from memesnipe.cli.outputs import check_output
from memesnipe.cli.signals import exit_on_interrupt
from memesnipe.runtime.terminal import print_json, print_message, print_table
from memesnipe.runtime.trading_mode import check_switches

system = typer.Typer()

Address = Annotated[
    str | None, typer.Option("--address", help="Of a Ray cluster that this machine is a node of; auto for its own.")
]


@system.command("up")
def up_command(
    feed: Annotated[
        str | None, typer.Option(help=f"{FEED_HELP} Default: synthetic.", autocompletion=completion.feeds)
    ] = None,
    tape: Annotated[Path | None, typer.Option(help="The tape of the replay feed, or of the local chain.")] = None,
    speed: Annotated[
        str | None,
        typer.Option(
            help="Ratio of event time to real time, or max; not for live feeds. Default: 60 for synthetic, else 1."
        ),
    ] = None,
    history: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="TAPE", help="A tape from before, or a folder of tapes, to train on from the start; repeatable."
        ),
    ] = None,
    mode: Annotated[
        ModeName, typer.Option(help="paper, or live: real money if every switch is on (docs/live.md).")
    ] = ModeName.PAPER,
    localnet: Annotated[
        bool, typer.Option("--localnet", help="Trade on a local Solana, whose money has no value.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="KIND=RATE", help="A fault of the local Solana, such as drop=0.1; repeatable."),
    ] = None,
    slot_ms: Annotated[
        int | None, integer_option("--slot-ms", 1, 60_000, "Milliseconds of a slot of the local Solana.")
    ] = None,
    rate: Annotated[
        float | None, number_option("--rate", 0.1, 200, "Trades a second of the local Solana without a tape.")
    ] = None,
    until_end: Annotated[bool, typer.Option("--until-end", help="Stop at the end of the feed.")] = False,
    report: Annotated[Path | None, typer.Option(help="Also write the report to this file as JSON.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Run in the background; return when the page is available.")
    ] = False,
    in_background: Annotated[bool, typer.Option(BACKGROUND_OPTION, hidden=True)] = False,
    json: Json = False,
) -> None:
    """Start and run the system: servers, actors, dashboard. Ctrl-C, or `memesnipe down`, stops it."""
    options = LocalOptions(tape, speed, fault or [], slot_ms, rate)
    trading = mode_choice(mode, options, is_local=localnet, until_end=until_end)
    if localnet:
        choice = local_feed(feed)
    else:
        choice = feed_choice("synthetic" if feed is None else feed, tape, speed, until_end=until_end)
    choice = replace(choice, history=check_history(history or []))
    if report is not None:
        check_output("--report", report, (tape,))

    if detach:
        from memesnipe.cli.background import start  # noqa: PLC0415

        given = {"--feed": feed, "--tape": tape, "--speed": speed, "--report": report, "--mode": mode}
        given |= {"--slot-ms": None if slot_ms is None else str(slot_ms), "--rate": None if rate is None else str(rate)}
        arguments = [text for name, value in given.items() if value is not None for text in (name, str(value))]
        arguments += [text for one in fault or [] for text in ("--fault", one)]
        arguments += ["--localnet"] if localnet else []
        arguments += [text for path in choice.history for text in ("--history", path)]
        started = start([*arguments, *(["--until-end"] if until_end else []), *(["--json"] if json else [])])
        if json:
            print_json(started)
        return

    exit_on_interrupt()

    from memesnipe.config.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    if trading.is_live and not localnet:
        check_live_market(choice)
        check_switches(settings)

    from memesnipe.cli.up import up  # noqa: PLC0415 - the database is slow to load

    if choice.live:
        from memesnipe.feeds.live_choice import check_endpoints  # noqa: PLC0415
        from memesnipe.roles.feed_endpoints import endpoints_of  # noqa: PLC0415

        check_endpoints(choice.names, endpoints_of(settings))

    has_past = bool(choice.generated) and not choice.history
    past_hours = settings.evolution.synthetic_past_hours if has_past else 0.0
    choice = replace(choice, seed=settings.simulation.seed, past_hours=past_hours)
    up(settings, choice, trading, until_end=until_end, report=report, as_json=json, detached=in_background)


@system.command("down")
def down_command(address: Address = None, json: Json = False) -> None:
    """Stop the system in this folder, from another terminal, or the one on a Ray cluster, from any of its nodes."""
    if address is not None:
        from memesnipe.cli.cluster import end_system  # noqa: PLC0415 - loads Ray

        stopped = end_system(address)
    else:
        from memesnipe.cli.running import down  # noqa: PLC0415

        stopped = {"stopped": down()}
    if json:
        print_json(stopped)
    else:
        print_message("Stopped." if stopped["stopped"] else "Nothing is running in this folder.")


@system.command("status")
def status_command(address: Address = None, json: Json = False) -> None:
    """Show the state of the system here, or of the one on a Ray cluster; the exit code is 1 if it is not healthy."""
    if address is not None:
        from memesnipe.cli.cluster import system_on  # noqa: PLC0415 - loads Ray

        found = system_on(address)
        if json:
            print_json(found)
        else:
            print_table("status", {key: value for key, value in found.items() if key != "parts"})
            print_table("parts", {name: f"{part['state']} {part['detail']}" for name, part in found["parts"].items()})
        if found["problem"]:
            raise typer.Exit(1)
        return

    from memesnipe.cli.running import status  # noqa: PLC0415

    state = status()
    if json:
        print_json(state)
    elif state["running"]:
        _print_status(state)
    else:
        print_message("Nothing is running in this folder. Start it with `memesnipe up`.")
    if state["running"] and state["status"] != "healthy":
        raise typer.Exit(1)


def _print_status(state: dict[str, Any]) -> None:
    accounts = state.get("accounts")
    hidden = ("parts", *(OF_ACCOUNTS if accounts else ()))
    print_table("status", {key: value for key, value in state.items() if key not in hidden})
    if accounts:
        print_accounts(accounts)
    if state["parts"]:
        print_table("parts", {name: f"{part['state']} {part['detail']}" for name, part in state["parts"].items()})
