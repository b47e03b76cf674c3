"""Options that several commands share."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

BACKGROUND_OPTION = "--in-background"  # of the process that `memesnipe up --detach` starts
