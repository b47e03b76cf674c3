"""A server that notifications are posted to, and that answers as Prometheus where it is asked for alerts."""

import json
import queue
from typing import Any

from tests.http_receiver import HttpReceiver

TOKEN = "hidden-token"


class Webhook(HttpReceiver):
    """A server that keeps what is posted to it, and answers with a status."""

    def __init__(self) -> None:
        self.posted: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.status = 200
        self.alerts: list[dict[str, Any]] = []
        super().__init__()

    def on_post(self, path: str, body: bytes) -> int:
        self.posted.put((path, json.loads(body)))
        return self.status

    def on_get(self, path: str) -> tuple[int, bytes]:
        answer = json.dumps({"status": "success", "data": {"alerts": self.alerts}}).encode()
        return (200 if path == "/api/v1/alerts" else 404), answer

    @property
    def url(self) -> str:
        return f"json://localhost:{self.port}/{TOKEN}"

    @property
    def prometheus(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def next_with(self, text: str, timeout_s: float) -> dict[str, Any]:
        """Return the next notification whose title or message has a text; those before it are dropped."""
        while True:
            _, body = self.posted.get(timeout=timeout_s)
            if text in f"{body['title']}\n{body['message']}":
                return body
