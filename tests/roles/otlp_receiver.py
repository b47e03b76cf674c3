"""A receiver of traces by OTLP over HTTP, on loopback."""

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def value_of(span: Any, name: str) -> Any:
    """Return the value of an attribute of ours."""
    (value,) = [a.value for a in span.attributes if a.key == f"memesnipe.{name}"]
    return getattr(value, value.WhichOneof("value"))


class Receiver:
    """An OTLP receiver over HTTP, which keeps the spans."""

    def __init__(self) -> None:
        self.received: queue.Queue[ExportTraceServiceRequest] = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.put(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def close(self) -> None:
        """Stop the server."""
        self.server.shutdown()
        self.server.server_close()

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
