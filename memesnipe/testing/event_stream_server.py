"""A server of server-sent events on this machine under a test's control."""

from http.server import BaseHTTPRequestHandler

from memesnipe.testing.http_server import HttpTestServer


class EventStreamServer(HttpTestServer):
    """Every request is a stream, in which the payloads follow as events.

    `event` is the type of the events, and `comments` are sent before each of them.
    """

    content_type = "text/event-stream"
    event = ""
    comments = ": keep-alive\r\n"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Send payloads as they are queued, until the connection ends."""
        request.close_connection = True  # the end of the stream is that of the connection
        request.send_response(200)
        request.send_header("Content-Type", self.content_type)
        request.end_headers()
        while (payload := self.take(request)) is not None:
            data = "".join(f"data: {line}\n" for line in payload.split("\n"))
            event = f"event: {self.event}\n" if self.event else ""
            request.wfile.write(f"{self.comments}{event}{data}\n".encode())
