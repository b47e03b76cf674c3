"""The past of a synthetic market: its events before a run, as a tape, so that the search begins with experience."""

from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import Final

from memesnipe.feeds.synthetic.feed import START_TS, SyntheticFeed
from memesnipe.feeds.synthetic.world import Message
from memesnipe.market.events import NS_PER_S, Events, join
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.tape import Tape, write_tape

_AT_ONCE: Final = 20_000  # events
_INTERVAL_S: Final = 600  # of decisions, which a tape does not keep


def first_ts_after(hours: float) -> int:
    """Return the time at which a run begins that has a past of so many hours."""
    return START_TS + int(hours * 3600 * NS_PER_S)


def first_hours(seed: int, hours: float) -> Iterator[Message]:
    """Yield the events of the first ``hours`` of the market with this seed."""
    until_ts = first_ts_after(hours)
    return takewhile(lambda message: message["ts"] < until_ts, SyntheticFeed(seed).messages(0))


def stamp_all(messages: Iterator[Message], sequencer: Sequencer) -> Events:
    """Return the numbered records of the valid events, of which few are held as messages at a time."""
    parts = []
    while batch := list(islice(messages, _AT_ONCE)):
        parts.append(sequencer.stamp(batch)[0])
    return join(*parts)


def write_past(path: Path, seed: int, hours: float) -> None:
    """Write the first ``hours`` of the market with this seed as a tape.

    Raises:
        TapeError: the file cannot be written.
    """
    sequencer = Sequencer(_INTERVAL_S, _INTERVAL_S)
    events = stamp_all(first_hours(seed, hours), sequencer)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tape(path, Tape(events, sequencer.mints))
