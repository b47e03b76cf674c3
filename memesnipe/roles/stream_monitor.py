"""The length of every stream and the lag of its readers, measured beside the work of market_data."""

import threading
from typing import Final

from memesnipe.errors import first_line
from memesnipe.protocol.streams import EVENT_STREAMS, EVENTS, streams_in
from memesnipe.roles.context import Context
from memesnipe.storage.runs import read_offsets
from memesnipe.telemetry.metrics import ActorMetrics

EVERY_S: Final = 5.0


def record_streams(context: Context, metrics: ActorMetrics) -> None:
    """Record the length of every stream and the entries that each reader has not consumed.

    The offsets are read first, so a reader that is not behind may seem to lack the entries of a moment, and never has
    a lag below 0.
    """
    readers_of = {**context.readers, EVENTS: context.event_readers}
    with context.database.connect() as connection:
        offsets = dict(zip(readers_of, read_offsets(connection, context.run_id, *readers_of), strict=True))
    extents = context.bus.extents(list(streams_in(context.arenas)))
    for stream, (length, _) in extents.items():
        metrics.set("stream_length", length, stream=stream)
    last = {stream: number for stream, (_, number) in extents.items()}
    last[EVENTS] = max(last[stream] for stream in EVENT_STREAMS)
    for stream, readers in readers_of.items():
        for reader in readers:
            consumed, _ = offsets[stream].get(reader, (0, 0))
            metrics.set("consumer_lag", max(last[stream] - consumed, 0), stream=stream, reader=reader)


def watch_streams(context: Context, metrics: ActorMetrics, stop: threading.Event) -> None:
    """Record the streams every 5 s until ``stop``, with connections of their own; wait for servers that are away."""
    log = context.log("market_data_streams")
    while not stop.is_set():
        try:
            while not stop.wait(EVERY_S):
                record_streams(context, metrics)
        except Exception as error:  # noqa: BLE001 - `failures` and the health report servers that are away
            log.warning("streams are not measured", error=first_line(error))
        finally:
            context.close()
        context = Context(context.home, context.run_id)
