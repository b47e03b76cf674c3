"""The replay feed: a tape, played as if it happened now."""

from collections.abc import Iterator
from typing import Any

from memesnipe.tapes.tape import Tape


class ReplayFeed:
    """The events of one tape, once."""

    live = False

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.total: int | None = len(tape.events)
        self.assumptions = tape.assumptions

    def messages(self, position: int) -> Iterator[dict[str, Any]]:
        """The events after the first ``position`` ones."""
        return self._tape.messages(position)
