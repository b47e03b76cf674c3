"""The replay feed: the events of a tape."""

from collections.abc import Iterator

from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.positioned import PositionedFeed
from memesnipe.tapes.tape import Tape


class ReplayFeed(PositionedFeed):
    """The events of one tape, once each."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.total = len(tape.events)
        self.assumptions = tape.assumptions

    def messages(self, position: int) -> Iterator[FeedMessage]:
        """Yield the events after the first ``position`` ones."""
        return self._tape.messages(position)
