"""A server that notifications are posted to, and that answers as Prometheus where it is asked for alerts."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hidden-token"


class Webhook:
    """A server that keeps what is posted to it, and answers with a status."""

    def __init__(self) -> None:
        self.posted: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.status = 200
        self.alerts: list[dict[str, Any]] = []
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                webhook.posted.put((self.path, body))
                self.send_response(webhook.status)
                self.end_headers()

            def do_GET(self) -> None:
                is_known = self.path == "/api/v1/alerts"
                self.send_response(200 if is_known else 404)
                self.end_headers()
                self.wfile.write(json.dumps({"status": "success", "data": {"alerts": webhook.alerts}}).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://localhost:{self.server.server_port}/{TOKEN}"

    @property
    def prometheus(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def next_with(self, text: str, timeout_s: float) -> dict[str, Any]:
        """Return the next notification whose title or message has a text; those before it are dropped."""
        while True:
            _, body = self.posted.get(timeout=timeout_s)
            if text in f"{body['title']}\n{body['message']}":
                return body

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
