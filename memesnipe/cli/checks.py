"""The commands that verify the system: `verify` re-derives a run, `chaos` compares a run with and without faults."""

from pathlib import Path
from typing import Annotated, Any

import typer

from memesnipe.cli.inputs import check_tape
from memesnipe.cli.numbers import integer_option, seed_option
from memesnipe.cli.options import Json
from memesnipe.cli.vocabulary import in_text
from memesnipe.runtime.terminal import print_json, print_message, print_table

checks = typer.Typer()


@checks.command("verify")
def verify_command(
    run: Annotated[
        int | None, integer_option("--run", 1, 2**31 - 1, "The run's number. Default: the newest run.")
    ] = None,
    json: Json = False,
) -> None:
    """Re-derive a run from its recorded events, and report where its records differ."""
    from memesnipe.cli.verify import verify  # noqa: PLC0415 - the engine is slow to load

    verdict = verify(run)
    in_flight = verdict.get("wallet", {}).get("open_orders")
    if in_flight:
        print_message(
            f"{in_flight} live orders in flight, so the wallet was not compared: verify again when they are settled"
        )
    if not json:
        from memesnipe.cli.final_report import print_verdict  # noqa: PLC0415 - as above

        print_verdict(verdict)
    _end(verdict, json=json)


@checks.command("chaos")
def chaos_command(
    kills: Annotated[int, integer_option("--kills", 0, 10_000, "How many processes to kill.")] = 20,
    seed: Annotated[int, seed_option("Seed of the draw of targets and times.")] = 24,
    tape: Annotated[Path | None, typer.Option(help="The tape to replay. Default: a generated one.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the working folders.")] = False,
    json: Json = False,
) -> None:
    """Replay a tape undisturbed, then with processes killed, and compare the records."""
    if tape is not None:
        check_tape("--tape", tape)
    from memesnipe.testing.chaos.run import chaos  # noqa: PLC0415 - the engine is slow to load

    verdict = chaos(kills, seed, tape, keep=keep)
    if not json:
        print_table("chaos", in_text({name: value for name, value in verdict.items() if name != "differences"}))
    _end(verdict, json=json)


def _end(verdict: dict[str, Any], *, json: bool) -> None:
    """Print the verdict as JSON, or its differences; exit with code 1 unless it is clean."""
    if json:
        print_json(verdict)
    else:
        for difference in verdict["differences"]:
            print_message(difference)
    if not verdict["clean"]:
        raise typer.Exit(1)
