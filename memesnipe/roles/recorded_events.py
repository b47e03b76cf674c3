"""The events of a run again, for the recovery of a role: from the event log where this node has it, or from Redis."""

from collections.abc import Iterator

from memesnipe.market.events import Events
from memesnipe.protocol.events import to_records
from memesnipe.roles.context import Context
from memesnipe.storage.event_log import read_batches


def recorded_events(context: Context, first: int, last: int) -> Iterator[Events]:
    """Yield the events numbered ``first`` to ``last`` in batches.

    Raises:
        StreamGapError: there is no event log here, and Redis has not kept the events.
    """
    if context.event_log.is_file():
        yield from read_batches(context.event_log, first, last)
        return
    for entries in context.bus.events_between(first, last):
        yield to_records([entry.payload for entry in entries])
