"""The replay feed: the events of a tape."""

from collections.abc import Iterator
from typing import Any

from memesnipe.tapes.tape import Tape


class ReplayFeed:
    """The events of one tape, once each."""

    live = False

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.total: int | None = len(tape.events)
        self.assumptions = tape.assumptions

    def messages(self, position: int) -> Iterator[dict[str, Any]]:
        """Yield the events after the first ``position`` ones."""
        return self._tape.messages(position)
