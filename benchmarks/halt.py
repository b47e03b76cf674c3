"""How long `POST /api/halt` and `memesnipe halt` take while hundreds of clients watch, stand still and never finish.

    python benchmarks/halt.py --streams 500 --halts 50

Asks what `memesnipe up` runs in this folder. Each halt is real: `memesnipe risk reset` goes on afterwards. Streams
beyond DASHBOARD_MAX_STREAMS are answered with 503 and count as such.
"""

import argparse
import json
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

STREAM = b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"
UNFINISHED = b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-More: "
BODILESS = b"POST /api/risk/reset HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 100\r\n\r\n"


class Crowd:
    """Clients of one server on loopback: some read what they are sent, others never do, others never finish asking."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received_bytes = 0
        self.statuses: Counter[str] = Counter()  # of the streams that are read
        self.closed = 0  # streams that were read and that the server has closed
        self._sockets: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def watch(self, count: int) -> None:
        """Open streams and read them."""
        for _ in range(count):
            client = self._ask(STREAM)
            client.setblocking(False)
            self._selector.register(client, selectors.EVENT_READ, client)

    def stand_still(self, count: int) -> None:
        """Open streams and never read them."""
        for _ in range(count):
            self._ask(STREAM)

    def leave_unfinished(self, count: int) -> None:
        """Send half of a request's headers; and as often, headers that announce a body that never comes."""
        for _ in range(count):
            self._ask(UNFINISHED)
            self._ask(BODILESS)

    def _ask(self, request: bytes) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.sendall(request % self.port if b"%d" in request else request)
        self._sockets.append(client)
        return client

    def _read(self) -> None:
        while not self._ended.is_set():
            if not self._selector.get_map():
                self._ended.wait(0.05)
                continue
            for key, _ in self._selector.select(0.2):
                client: socket.socket = key.data
                try:
                    found = client.recv(1 << 20)
                except ConnectionError:
                    found = b""
                self.received_bytes += len(found)
                if not found:
                    self._selector.unregister(client)
                    self.closed += 1
                elif found.startswith(b"HTTP/1.1 "):
                    self.statuses[found.split(b" ", 2)[1].decode()] += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._reader.join()
        for client in self._sockets:
            client.close()
        self._selector.close()


def line(name: str, seconds: list[float]) -> str:
    """The distribution of some times, in milliseconds."""
    ordered = sorted(1000 * s for s in seconds)
    at = {share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.9, 0.99)}
    spread = "  ".join(f"p{100 * share:.0f} {value:6.0f}" for share, value in at.items())
    return f"{name:34} {spread}  worst {ordered[-1]:6.0f} ms  of {len(ordered)}"


def timed_post(client: httpx.Client, path: str, token: str) -> float:
    """The seconds that a command took over HTTP."""
    began = time.monotonic()
    client.post(path, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
    return time.monotonic() - began


def timed_get(client: httpx.Client, path: str) -> float:
    """The seconds that an answer took."""
    began = time.monotonic()
    client.get(path).raise_for_status()
    return time.monotonic() - began


def timed_command() -> float:
    """The seconds that `memesnipe halt` took, with its start and the wait for its effect."""
    began = time.monotonic()
    subprocess.run([Path(sys.executable).with_name("memesnipe"), "halt", "--json"], check=True, capture_output=True)
    return time.monotonic() - began


def measure(url: str, token: str, halts: int, name: str) -> None:
    """Print a line for each way in."""
    # A connection of its own each time, as somebody has who comes to stop it.
    posts, pages, health = [], [], []
    for _ in range(halts):
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            posts.append(timed_post(client, "/api/halt", token))
            pages.append(timed_get(client, "/"))
            health.append(timed_get(client, "/api/health"))
    print(line(f"POST /api/halt, {name}", posts))
    print(line(f"GET /, {name}", pages))
    print(line(f"GET /api/health, {name}", health))
    print(line(f"memesnipe halt, {name}", [timed_command() for _ in range(5)]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=500, help="of which a fifth is never read")
    parser.add_argument("--unfinished", type=int, default=50, help="of each kind")
    parser.add_argument("--halts", type=int, default=50)
    arguments = parser.parse_args()
    home = Path(".memesnipe")
    port = json.loads((home / "settings.json").read_text())["dashboard_port"]
    token = (home / "secrets" / "api_token").read_text().strip()
    url = f"http://127.0.0.1:{port}"
    measure(url, token, arguments.halts, "alone")
    with Crowd(port) as crowd:
        still = arguments.streams // 5
        crowd.stand_still(still)
        crowd.watch(arguments.streams - still)
        crowd.leave_unfinished(arguments.unfinished)
        measure(url, token, arguments.halts, f"{arguments.streams} streams")
        print(f"read streams: {dict(crowd.statuses)}, {crowd.received_bytes / 1e6:.1f} MB read, {crowd.closed} closed")


if __name__ == "__main__":
    main()
