"""The event log of a run, mapped for display: read in place, without the checks of `memesnipe.storage.event_log`."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from memesnipe.market.events import EVENT, Events
from memesnipe.storage.event_log import count_events, offset_after

BATCH: Final = 32_768  # events: 4 MB, which stay in a cache of the processor
_RECORD: Final = np.dtype([("event", EVENT), ("checksum", "<u4")])


def mapped_events(path: Path, first: int, last: int) -> Events:
    """Return a copy of the events numbered ``first`` to ``last``, as far as the log has them whole.

    Args:
        path: of the log.
        first: from 1.
        last: inclusive; at most what market_data has committed, because later records may still be cut off.
    """
    stop = min(last, int(count_events(path))) if path.exists() else 0
    if stop < first:
        return np.zeros(0, dtype=EVENT)
    records: Any = np.memmap(path, _RECORD, "r", offset_after(first - 1), (stop - first + 1,))
    return np.ascontiguousarray(records["event"])


def events_of_token(path: Path, token: int, first: int, last: int) -> Events:
    """Return the events of one token among those numbered ``first`` to ``last``, read in parts that stay in a cache."""
    parts = [np.zeros(0, dtype=EVENT)]
    for start in range(first, last + 1, BATCH):
        part = mapped_events(path, start, min(start + BATCH - 1, last))
        parts.append(part[part["token"] == token])
    return np.concatenate(parts)
