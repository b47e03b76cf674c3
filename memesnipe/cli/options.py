"""Options that several commands share."""

from typing import Annotated

import typer

from memesnipe.feeds.choice import FEED_NAMES

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

BACKGROUND_OPTION = "--in-background"  # of the process that `memesnipe up --detach` starts

FEED_HELP = f"Sources of events, separated by commas: {', '.join(FEED_NAMES)}."
