"""A server of an endless response of lines on this machine, under a test's control."""

from http.server import BaseHTTPRequestHandler

from memesnipe.testing.http_server import HttpTestServer


class LineStreamServer(HttpTestServer):
    """Every request is a stream, in which the payloads follow as lines, each after an empty one."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Send payloads as they are queued, until the connection ends."""
        request.close_connection = True  # the end of the stream is that of the connection
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.end_headers()
        request.wfile.write(b"\r\n")
        while (payload := self.take(request)) is not None:
            request.wfile.write(f"\r\n{payload}\r\n".encode())
