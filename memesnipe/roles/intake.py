"""The intake: takes events from the feed in batches, each event when it is due."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.feeds.base import END, IDLE, Feed, FeedEvent, ResumeToken
from memesnipe.market.plausible import LAST_TS
from memesnipe.market.sequencer import time_of
from memesnipe.roles.feed_clock import FeedClock

BATCH: Final = 512
MAX_WAIT_S: Final = 0.2  # for the feed; a command waits no longer for its effect


@dataclass(slots=True)
class Batch:
    """Messages to publish together, and the feed's token to commit with them."""

    messages: list[Any]
    token: ResumeToken


class Intake:
    """The events that were polled from the feed, up to one batch, and not yet taken.

    A feed that is not live is polled one batch ahead, so that its last event is known as the last one when it is
    taken. A live feed is polled only when nothing is left to take, so that no event waits for the next one.
    """

    def __init__(self, feed: Feed, clock: FeedClock, *, lockstep: bool, machine_clock: Clock = SYSTEM_CLOCK) -> None:
        self._feed, self._clock, self._lockstep, self._machine_clock = feed, clock, lockstep, machine_clock
        self._polled: deque[FeedEvent] = deque()
        self._has_ended = False
        self._token: ResumeToken = None  # of the last event taken

    def open(self, token: ResumeToken) -> None:
        """Open the feed."""
        self._token = token
        self._feed.open(token)

    @property
    def has_ended(self) -> bool:
        """Whether every event was taken, as far as is known."""
        return self._has_ended and not self._polled

    def take_due(self, is_decision_due: Callable[[list[Any]], bool], wait_s: float = MAX_WAIT_S) -> Batch:
        """Take the events that are due, at most one batch; wait up to ``wait_s`` seconds if there are none.

        Args:
            is_decision_due: whether one is due after the last of these messages; in lockstep the batch ends there.
            wait_s: at most `MAX_WAIT_S`.
        """
        messages: list[Any] = []
        while len(messages) < BATCH:
            event = self.peek(wait_s) if not messages or not self._feed.live else self._first()
            if event is None or not self._is_due(event.message, 0.0 if messages else wait_s):
                break
            messages.append(self._take())
            if self._lockstep and is_decision_due(messages):
                break
        return Batch(messages, self._token)

    def take_while(self, batch: Batch, is_wanted: Callable[[Any], bool]) -> None:
        """Add the next events of a feed that is not live to a batch, as long as they are wanted."""
        while not self._feed.live and (event := self.peek()) is not None and is_wanted(event.message):
            batch.messages.append(self._take())
            batch.token = self._token

    def peek(self, timeout_s: float = 0.0) -> FeedEvent | None:
        """Return the next event without taking it; None if there is none yet or any more."""
        if not self._polled and not self._has_ended:
            polled = self._feed.poll(BATCH, timeout_s)
            if polled is END:
                self._has_ended = True
            elif polled is not IDLE:
                self._polled.extend(polled)
        return self._first()

    def _first(self) -> FeedEvent | None:
        return self._polled[0] if self._polled else None

    def _take(self) -> Any:
        message, self._token = self._polled.popleft()
        return message

    def _is_due(self, message: Any, wait_s: float) -> bool:
        """Return whether an event is due; sleep up to ``wait_s`` seconds until it is."""
        ts = time_of(message)
        if not 0 < ts <= LAST_TS:
            return True  # an event without a time or with an impossible one is rejected at once
        early_s = self._clock.due_in_s(ts, self._machine_clock.monotonic_s())
        if early_s > 0 and wait_s > 0:
            self._machine_clock.sleep(min(early_s, wait_s))
        return early_s <= 0
