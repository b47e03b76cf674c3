"""Latency of `POST /api/halt` and `memesnipe halt` beside hundreds of clients: reading, not reading, and unfinished.

    python benchmarks/halt.py --streams 500 --halts 50

It needs a running `memesnipe up` in this folder. Each halt is real: `memesnipe risk reset` resumes trading afterwards.
Streams beyond DASHBOARD_MAX_STREAMS get 503, and are counted as such.
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

from memesnipe.config.home import Home

STREAM = b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"
UNFINISHED = b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-More: "
BODILESS = b"POST /api/risk/reset HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 100\r\n\r\n"


class Crowd:
    """Clients of a server on loopback: some read their stream, some never read, some never finish their request."""

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
            client = self._send(STREAM)
            client.setblocking(False)
            self._selector.register(client, selectors.EVENT_READ, client)

    def stand_still(self, count: int) -> None:
        """Open streams and never read them."""
        for _ in range(count):
            self._send(STREAM)

    def leave_unfinished(self, count: int) -> None:
        """Send ``count`` requests with incomplete headers, and ``count`` with headers of a body that is not sent."""
        for _ in range(count):
            self._send(UNFINISHED)
            self._send(BODILESS)

    def _send(self, request: bytes) -> socket.socket:
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
    """Return a line with the distribution of times, in milliseconds."""
    ordered = sorted(1000 * s for s in seconds)
    at = {share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.9, 0.99)}
    spread = "  ".join(f"p{100 * share:.0f} {value:6.0f}" for share, value in at.items())
    return f"{name:34} {spread}  max {ordered[-1]:6.0f} ms  of {len(ordered)}"


def timed_post(client: httpx.Client, path: str, token: str) -> float:
    """Return the seconds of a command over HTTP."""
    began = time.monotonic()
    client.post(path, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
    return time.monotonic() - began


def timed_get(client: httpx.Client, path: str) -> float:
    """Return the seconds of a GET request."""
    began = time.monotonic()
    client.get(path).raise_for_status()
    return time.monotonic() - began


def timed_command() -> float:
    """Return the seconds of `memesnipe halt`, from its start to its effect."""
    began = time.monotonic()
    subprocess.run([Path(sys.executable).with_name("memesnipe"), "halt", "--json"], check=True, capture_output=True)
    return time.monotonic() - began


def measure(url: str, token: str, halts: int, name: str) -> None:
    """Print a line per kind of request."""
    # A new connection each time, like a user who comes to halt the run.
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
    home = Home(Path(".memesnipe"))
    port = json.loads(home.settings.read_text())["dashboard_port"]
    token = home.token.read_text().strip()
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
