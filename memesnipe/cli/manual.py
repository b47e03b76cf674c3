"""`halt`, `flatten`, `close`, `risk`, `promote`, `demote`: manual control of a run."""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from memesnipe.cli import completion
from memesnipe.cli.numbers import integer_option, number_option
from memesnipe.cli.options import Json
from memesnipe.errors import InputError, MemeSnipeError, NoRunYetError
from memesnipe.protocol.commands import NO_EFFECT, CommandName
from memesnipe.runtime.terminal import print_json, print_message, print_table

manual = typer.Typer()
risk = typer.Typer(no_args_is_help=True, help="The circuit breaker: its state, and how to leave a halt.")
manual.add_typer(risk, name="risk")

_NOT_RUNNING: Final = "nothing is running: the halt takes effect at the next start"
_HALTED_ALREADY: Final = f"{NO_EFFECT}nothing is running, and the next start was halted already"


class AccountName(StrEnum):
    """The accounts that can be flattened."""

    LIVE = "live"
    PAPER = "paper"
    ALL = "all"


Reason = Annotated[str, typer.Option(help="Recorded with the command. 1 KB at most.")]
Spec = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="The strategy's id, as `memesnipe strategies` and the page show it, or how it begins, "
        "or a file of `memesnipe export`.",
        autocompletion=completion.strategies,
    ),
]


@manual.command("halt")
def halt_command(reason: Reason = "", json: Json = False) -> None:
    """Stop all trading at once; open positions are kept. `memesnipe risk reset` resumes trading."""
    from memesnipe.cli.halt_over_http import halt, write_kill_file  # noqa: PLC0415 - pydantic is slow to load

    began = time.monotonic()
    file = write_kill_file(reason)  # first: nothing else is as fast, or works without the servers
    if not file.has_run and not file.problem:
        outcome = _HALTED_ALREADY if file.was_there else _NOT_RUNNING
        done = {"command": CommandName.HALT, "outcome": outcome, "effective": not file.was_there}
        _show(CommandName.HALT, done, json=json)
    elif answer := halt(reason):
        _show(CommandName.HALT, answer, json=json)
    else:
        _send(CommandName.HALT, "", reason, json=json, began=began)
    if file.problem:
        raise MemeSnipeError(file.problem)


@manual.command("flatten")
def flatten_command(
    account: Annotated[
        AccountName, typer.Option(help="Whose entries stop, and whose positions are sold.")
    ] = AccountName.LIVE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[float, number_option("--wait", 1, 3_600, "Seconds until it reports what is not sold.")] = 120.0,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Stop an account's entries and sell its positions, even while halted. `memesnipe risk reset` resumes trading."""
    from memesnipe.cli.flatten import flatten  # noqa: PLC0415 - SQLAlchemy is slow to load

    answer = flatten("" if account is AccountName.ALL else account.value, reason, wait, is_confirmed=yes, json=json)
    if json:
        print_json(answer)
    if answer["left"]:
        raise typer.Exit(1)


@manual.command("close")
def close_command(
    position: Annotated[str, typer.Argument(help="A token's address, or ACCOUNT/STRATEGY/TOKEN.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[float, number_option("--wait", 1, 3_600, "Seconds until it reports that it is not sold.")] = 60.0,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Sell one position, or all positions in one token; trading goes on."""
    from memesnipe.cli.close import close  # noqa: PLC0415 - SQLAlchemy is slow to load

    answer = close(position, reason, wait, is_confirmed=yes, json=json)
    if json:
        print_json(answer)
    if answer["left"]:
        raise typer.Exit(1)


@risk.command("reset")
def reset_command(reason: Reason = "", json: Json = False) -> None:
    """Leave a halt, a flatten or Emergency; drawdown is measured from the current equity on."""
    from memesnipe.cli.halt_over_http import remove_kill_file  # noqa: PLC0415 - pydantic is slow to load

    was_halted = remove_kill_file()  # first, or the file would halt the run again
    try:
        _send(CommandName.RISK_RESET, "", reason, json=json)
    except NoRunYetError:
        if not was_halted:
            raise
        answer = {"outcome": "the next start is not halted any more", "effective": True}
        _show(CommandName.RISK_RESET, answer, json=json)


@manual.command("promote")
def promote_command(
    spec_id: Spec = "",
    busiest: Annotated[
        int | None,
        integer_option("--busiest", 1, 50, "In place of SPEC: the strategies that trade most, all the way up."),
    ] = None,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Move a strategy one mode up, past the gates."""
    if busiest is None:
        _send(CommandName.PROMOTE, spec_id, reason, json=json)
        return
    if spec_id:
        raise InputError("--busiest: takes no SPEC; leave one of them out")
    from memesnipe.cli.promotion import promote_busiest  # noqa: PLC0415 - SQLAlchemy is slow to load

    def show(spec_id: str, outcome: str) -> None:
        if not json:
            typer.echo(f"{spec_id}  {outcome.removeprefix(f'{spec_id} ')}")

    outcomes = promote_busiest(busiest, reason, show)
    if json:
        print_json(outcomes)
    elif len(outcomes) < busiest:
        print_message(f"{busiest} were asked for; no other simulating strategy has traded yet: try again later.")


@manual.command("demote")
def demote_command(spec_id: Spec, reason: Reason = "", json: Json = False) -> None:
    """Move a strategy one mode down; it is not promoted again automatically."""
    _send(CommandName.DEMOTE, spec_id, reason, json=json)


@risk.command("show")
def show_command(json: Json = False) -> None:
    """Show the breaker's state and the orders that the risk gate has refused."""
    from memesnipe.cli.manual_commands import risk_state  # noqa: PLC0415 - SQLAlchemy is slow to load

    state = risk_state()
    if json:
        print_json(state)
        return
    from memesnipe.cli.account_figures import in_words  # noqa: PLC0415
    from memesnipe.cli.vocabulary import in_text  # noqa: PLC0415

    print_message(f"run {state['run_id']}")
    for account, figures in state["accounts"].items():
        shown = in_words({**figures, "refusals": sum(figures["refusals"].values())})
        print_table(f"{account} account", in_text(shown) | {"max_drawdown": f"{figures['max_drawdown']:.2%}"})
        if figures["refusals"]:
            print_table(f"refused on the {account} account", figures["refusals"])
        else:
            print_message(f"nothing was refused on the {account} account")


def _send(name: str, spec_id: str, reason: str, *, json: bool, began: float | None = None) -> None:
    if name in (CommandName.PROMOTE, CommandName.DEMOTE) and not spec_id.strip():
        raise InputError("SPEC is empty; `memesnipe strategies` lists the ids")
    if Path(spec_id).is_file():
        from memesnipe.cli.explain import genome_in  # noqa: PLC0415 - the engine is slow to load

        spec_id = genome_in(Path(spec_id)).spec_id
    from memesnipe.cli.manual_commands import send_command  # noqa: PLC0415 - SQLAlchemy is slow to load

    _show(name, send_command(name, spec_id, reason, began), json=json)


def _show(name: str, answer: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(answer)
    else:
        print_table(name, answer)
