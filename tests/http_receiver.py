"""An HTTP server on loopback that passes what is posted to it to a test, one thread a request."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HttpReceiver:
    """A server whose subclass handles what is posted, and may answer what is asked for."""

    def __init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(receiver.on_post(self.path, body), b"")

            def do_GET(self) -> None:
                self._answer(*receiver.on_get(self.path))

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_port

    def on_post(self, path: str, body: bytes) -> int:
        """Handle what is posted; return the status of the answer."""
        raise NotImplementedError

    def on_get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of the answer; 404 by default."""
        return 404, b""

    def close(self) -> None:
        """Stop the server."""
        self.server.shutdown()
        self.server.server_close()
