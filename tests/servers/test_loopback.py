"""Requests to this machine use no proxy, and no other module sends HTTP requests."""

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
        self.send_response(503 if self.path == "/unhealthy" else 200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_no_proxy_is_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = f"http://127.0.0.1:{free_port(0)}"
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert loopback.get(f"{url}/healthy", timeout_s=5) == loopback.Response(200, b"/healthy")
    assert loopback.get(f"{url}/unhealthy", timeout_s=5) == loopback.Response(503, b"/unhealthy")


def test_no_server_is_an_os_error() -> None:
    with pytest.raises(OSError, match="refused"):
        loopback.get(f"http://127.0.0.1:{free_port(0)}", timeout_s=5)


def test_no_other_module_imports_an_http_client() -> None:
    clients = re.compile(
        r"^\s*(from|import) (httpx|httpx_sse|websockets|requests|aiohttp|urllib3?|http\.client)\b(?!\.parse)",
        re.MULTILINE,
    )
    sources = [ROOT / "serve_app.py"]
    for package in ("memesnipe", "actors", "strategies"):
        sources += (ROOT / package).rglob("*.py")
    users = {str(path.relative_to(ROOT)) for path in sources if clients.search(path.read_text())}
    assert users == {
        "memesnipe/servers/loopback.py",
        "memesnipe/client/transport.py",  # the API may be on another machine; on this one it uses no proxy either
        # The sources of live feeds are on other machines, and may be behind a proxy.
        "memesnipe/feeds/websocket.py",
        "memesnipe/feeds/http.py",
        "memesnipe/feeds/http_stream.py",
        "memesnipe/feeds/server_sent_events.py",
        "memesnipe/feeds/polling.py",
        "memesnipe/testing/websocket_server.py",  # the server of their tests
        # So are the nodes of Solana, and the services that take transactions.
        "memesnipe/solana/service.py",
        "memesnipe/solana/balance.py",
        "memesnipe/signer/rpc.py",
        "memesnipe/localnet/pubsub/server.py",  # a server
        # They name the type of the client that `solana/service.py` makes.
        "memesnipe/roles/live_safety.py",
        "memesnipe/roles/live_bids.py",
        "memesnipe/roles/live_venue.py",
        "memesnipe/testing/live_orders/desk.py",
        "memesnipe/feeds/localnet.py",  # asks the local chain, without a proxy
        "memesnipe/runtime/notifications.py",  # Prometheus may be on another machine
    }
