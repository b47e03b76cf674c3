"""Merging: put the entries of several streams in one order, which does not depend on the sequence of reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from memesnipe.errors import MemeSnipeError
from memesnipe.protocol.streams import EVENT_STREAMS


class StreamGapError(MemeSnipeError):
    """Entries are missing between the last one read and the next: their writer has not republished them yet."""


class ForeignEntryError(MemeSnipeError):
    """A stream holds an entry that no actor of the run has written."""


class Entry(msgspec.Struct, frozen=True):
    """One entry of a stream: its number, the seq of the event it belongs to (for events, the number), its payload."""

    stream: str
    number: int
    seq: int
    payload: Any  # an instance of the type that `memesnipe.protocol.streams` declares for the stream


def merge(read: Mapping[str, Sequence[Entry]], limit: int) -> list[Entry]:
    """Return all entries by event, then by the order of the streams in ``read``.

    A stream that returned ``limit`` entries may hold more. Entries of later events are left for the next read:
    otherwise entries of other streams would overtake those that were not read.

    Raises:
        ValueError: one event has ``limit`` messages in one stream, so no read could ever return an entry.
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
