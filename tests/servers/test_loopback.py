"""What is on this machine is asked without a proxy, and everything of ours that asks does so in one way."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from memesnipe.servers import loopback
from memesnipe.servers.process import free_port

ROOT = Path(loopback.__file__).parents[2]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/ill" else 200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_proxy_is_not_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = f"http://127.0.0.1:{free_port(0)}"
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert loopback.get(f"{url}/well", timeout_s=5) == loopback.Answered(200, b"/well")
    assert loopback.get(f"{url}/ill", timeout_s=5) == loopback.Answered(503, b"/ill")


def test_nobody_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match="refused"):
        loopback.get(f"http://127.0.0.1:{free_port(0)}", timeout_s=5)


def test_nothing_else_of_ours_asks_over_http() -> None:
    clients = re.compile(r"^\s*(from|import) (httpx|requests|aiohttp|urllib3?|http\.client)\b(?!\.parse)", re.MULTILINE)
    sources = [ROOT / "serve_app.py"]
    for package in ("memesnipe", "actors", "strategies"):
        sources += (ROOT / package).rglob("*.py")
    users = {str(path.relative_to(ROOT)) for path in sources if clients.search(path.read_text())}
    assert users == {"memesnipe/servers/loopback.py"}
