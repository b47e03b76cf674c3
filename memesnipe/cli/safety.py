"""`safety`: whether a token may be bought, and why not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from memesnipe.cli.options import Json
from memesnipe.runtime.terminal import print_json, without_controls

safety = typer.Typer()


@safety.command("safety")
def safety_command(mint: Annotated[str, typer.Argument(help="The token's address.")], json: Json = False) -> None:
    """Assess a token now, as before a first live purchase; the exit code is 3 if it would not be bought."""
    from memesnipe.cli.token_assessment import assess_token  # noqa: PLC0415 - slow to load

    answer = assess_token(mint)
    if json:
        print_json(answer)
    else:
        for line in lines(answer):
            typer.echo(without_controls(line))
    if not answer["safe"]:
        raise typer.Exit(3)


def lines(answer: dict[str, Any]) -> Iterator[str]:
    """Yield the verdict, then what each check found."""
    from memesnipe.market.events import NS_PER_S  # noqa: PLC0415 - slow to load
    from memesnipe.solana.error_words import errors_in_words  # noqa: PLC0415

    yield f"{answer['mint']} " + ("may be bought: no check speaks against it." if answer["safe"] else "is not bought:")
    for check, state in answer["sources"].items():
        found = [errors_in_words(each["detail"]) for each in answer["reasons"] if each["check"] == check]
        yield f"  {check:<9}{'; '.join(found) or ('no danger found' if state == 'checked' else state)}"
    when = datetime.fromtimestamp(answer["ts"] // NS_PER_S, UTC)
    stored = answer["stored"]
    yield f"Assessed at {when:%Y-%m-%d %H:%M:%S} UTC; " + (
        f"not stored: {stored.removeprefix('no: ')}" if stored.startswith("no: ") else f"stored {stored}"
    )
