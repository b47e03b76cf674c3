"""Merging: entries of several streams in one order that does not depend on how they were read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memesnipe.errors import MemeSnipeError
from memesnipe.protocol.streams import EVENT_STREAMS


class StreamGapError(MemeSnipeError):
    """Entries are missing between the last one read and the next: their writer has yet to publish them again."""


class ForeignEntryError(MemeSnipeError):
    """A stream holds an entry that no actor of the run has written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream: its number there, the event it belongs to (of an event, both are one), and its payload."""

    stream: str
    number: int
    seq: int
    payload: Any  # an instance of the type that `memesnipe.protocol.streams` declares for the stream


def merge(read: Mapping[str, Sequence[Entry]], limit: int) -> list[Entry]:
    """Return all entries by event, then by the order of the streams in ``read``.

    A stream that gave ``limit`` entries may hold more. Entries beyond its last one are left for the next read:
    otherwise entries of other streams would overtake those that were not read.

    Raises:
        ValueError: one event has ``limit`` messages in one stream, so nothing could ever be released.
    """
    horizons = [
        entries[-1].seq if stream in EVENT_STREAMS else entries[-1].seq - 1
        for stream, entries in read.items()
        if len(entries) >= limit
    ]
    rank = {stream: 0 if stream in EVENT_STREAMS else i for i, stream in enumerate(read, start=1)}
    merged = sorted(
        (entry for entries in read.values() for entry in entries if not horizons or entry.seq <= min(horizons)),
        key=lambda entry: (entry.seq, rank[entry.stream], entry.number),
    )
    if horizons and not merged:
        raise ValueError(f"more than {limit} messages of one event in one stream")
    return merged
