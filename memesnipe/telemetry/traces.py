"""Traces from event to order to fill, by OpenTelemetry. A thread sends them, and drops what it cannot send in time."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, TraceFlags

Value = str | int | float

_TIMEOUT_S: Final = 2.0  # of one request; also the longest delay of the actor's end
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


class Traces:
    """The spans of one actor. Their ids follow from run, event and order, so actors need not exchange any.

    A trace is an event; its spans are `event`, `order` (one for each), `fill` and `booked`.

    Args:
        endpoint: URL that takes spans by OTLP over HTTP.
        actor: name of the actor, the service of its spans.
        run_id: number of the run.
    """

    def __init__(self, endpoint: str, actor: str, run_id: int) -> None:
        self._run_id = run_id
        self._resource = Resource.create({SERVICE_NAME: f"memesnipe.{actor}"})
        self._processor = BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=_TIMEOUT_S))

    def add(
        self, name: str, *, seq: int, order: str = "", parent: str = "", start_ns: int, end_ns: int,
        attributes: Mapping[str, Value],
    ) -> None:  # fmt: skip
        """Add a span.

        Args:
            name: event | order | fill | booked.
            seq: the event that the trace is about: for an order and its fill the one at which it was decided.
            order: id of the order; "" for the event.
            parent: name of the span above it, of the same order or the event; "" for the event.
            start_ns: time of the machine, in ns since 1970.
            end_ns: as above.
            attributes: of the span, besides run, seq and order id.
        """
        ids = {"memesnipe.run": self._run_id, "memesnipe.seq": seq} | ({"memesnipe.order_id": order} if order else {})
        span = ReadableSpan(
            name=name,
            context=self._context(seq, name, order),
            parent=self._context(seq, parent, "" if parent == "event" else order) if parent else None,
            resource=self._resource,
            attributes=ids | {f"memesnipe.{key}": value for key, value in attributes.items()},
            start_time=start_ns,
            end_time=end_ns,
        )
        self._processor.on_end(span)

    def close(self) -> None:
        """Send what is waiting, for two seconds at most."""
        self._processor.force_flush(int(_TIMEOUT_S * 1_000))
        self._processor.shutdown()  # type: ignore[no-untyped-call]

    def _context(self, seq: int, name: str, order: str) -> SpanContext:
        trace_id = _hashed(f"{self._run_id}/{seq}", 16)
        return SpanContext(trace_id, _hashed(f"{self._run_id}/{seq}/{name}/{order}", 8), False, _SAMPLED)


def _hashed(text: str, size: int) -> int:
    """Return a number of so many bytes, never 0, which would be no id."""
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest()) or 1
