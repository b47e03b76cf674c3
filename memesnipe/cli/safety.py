"""`safety`: whether a token may be bought, and why not."""

from typing import Annotated

import typer

from memesnipe.cli.options import Json
from memesnipe.runtime.terminal import print_json, print_table

safety = typer.Typer()


@safety.command("safety")
def safety_command(mint: Annotated[str, typer.Argument(help="The token's address.")], json: Json = False) -> None:
    """Assess a token now, as before a first live purchase; the exit code is 3 if it would not be bought."""
    from memesnipe.cli.token_assessment import assess_token  # noqa: PLC0415 - slow to load

    answer = assess_token(mint)
    if json:
        print_json(answer)
    else:
        print_table("safe" if answer["safe"] else "not safe", answer)
    if not answer["safe"]:
        raise typer.Exit(3)
