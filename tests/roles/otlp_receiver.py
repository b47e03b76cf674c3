"""A receiver of traces by OTLP over HTTP, on loopback."""

import queue
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.http_receiver import HttpReceiver


def value_of(span: Any, name: str) -> Any:
    """Return the value of an attribute of ours."""
    (value,) = [a.value for a in span.attributes if a.key == f"memesnipe.{name}"]
    return getattr(value, value.WhichOneof("value"))


class Receiver(HttpReceiver):
    """An OTLP receiver over HTTP, which keeps the spans."""

    def __init__(self) -> None:
        self.received: queue.Queue[ExportTraceServiceRequest] = queue.Queue()
        super().__init__()

    def on_post(self, path: str, body: bytes) -> int:
        self.received.put(ExportTraceServiceRequest.FromString(body))
        return 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def all_spans(self) -> list[tuple[str, Any]]:
        """Return the spans received since the last call, each with its service."""
        found = []
        while not self.received.empty():
            for of_resource in self.received.get().resource_spans:
                (service,) = [a.value.string_value for a in of_resource.resource.attributes if a.key == "service.name"]
                found += [(service, span) for scope in of_resource.scope_spans for span in scope.spans]
        return found

    def spans(self) -> dict[str, tuple[str, Any]]:
        """Return the spans received since the last call by their names, each with its service."""
        return {span.name: (service, span) for service, span in self.all_spans()}
