"""The markets of the simulator: a thinned synthetic market, delivered in pieces of random size.

Of every twenty trades one is left, so that a hundred and fifty events hold the price moves and migrations of six
minutes, and strategies trade on them.
"""

import random
from collections.abc import Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from memesnipe.feeds.base import END, IDLE, FeedEvent, FeedMessage, FeedStatus, Polled, ResumeToken
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import NS_PER_S
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.tape import Tape, write_tape
from memesnipe.testing.simulator.scheduler import Process

MARKETS: Final = (1, 5, 6, 9, 13, 20, 22, 32, 56)  # seeds of the synthetic feed on which strategies trade
_MESSAGES: Final = 3_000
_SHARE_OF_PRICES, _SHARE_OF_OTHERS = 0.045, 0.15
_LARGEST_PIECE: Final = 60
_IDLE: Final = 0.3  # how often a live feed has no event
_DAY_NS: Final = 86_400 * NS_PER_S
_LATE_S: Final = (0.1, 0.1, 1.0, 20.0)  # the age of the last event that a live feed delivers


@cache
def market(number: int) -> list[FeedMessage]:
    """Return the messages of a market."""
    rng = random.Random(number)  # noqa: S311 - repeatable on purpose
    messages = islice(SyntheticFeed(number).messages(0), _MESSAGES)
    shares = {"price": _SHARE_OF_PRICES}
    return [m for m in messages if rng.random() < shares.get(m["kind"], _SHARE_OF_OTHERS)]


def write_history(number: int, path: Path) -> None:
    """Write the tape of the day before a market: the same trades, of which some belong to other tokens."""
    sequencer = Sequencer(60, 600)
    stamped, _ = sequencer.stamp([message | {"ts": message["ts"] - _DAY_NS} for message in market(number)])
    mints = [mint if i % 2 else f"earlier{i}" for i, mint in enumerate(sequencer.mints)]
    write_tape(path, Tape(stamped, mints))


class SimulatedFeed:
    """A feed of these messages; its token is the number of messages delivered."""

    total = None
    assumptions: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, messages: list[FeedMessage], rng: random.Random, process: Process, *, live: bool) -> None:
        self._messages, self._rng, self._process, self.live = messages, rng, process, live
        self._position = 0

    def open(self, token: ResumeToken) -> None:
        """Begin after the message with this token."""
        self._position = token or 0

    def poll(self, limit: int, timeout_s: float) -> Polled:
        """Return the next messages. A live feed sometimes has none, and sets the time of day to that of its events."""
        if self._position == len(self._messages):
            return END
        first = self._position
        stop = min(len(self._messages), first + min(limit, self._rng.randint(1, _LARGEST_PIECE)))
        if self.live:
            if self._rng.random() < _IDLE:
                self._process.sleep(timeout_s)
                return IDLE
            late_s = self._rng.choice(_LATE_S)
            self._process.scheduler.set_now_ns(self._messages[stop - 1]["ts"] + int(late_s * NS_PER_S))
        self._position = stop
        return [FeedEvent(self._messages[n], n + 1) for n in range(first, self._position)]

    def statuses(self) -> list[FeedStatus]:
        """Return []: the simulator reports no condition."""
        return []

    def close(self) -> None:
        """Do nothing: nothing is held open."""
