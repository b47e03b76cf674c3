"""The page with 5,000 strategies and a month of history: the time of each API call, and of each view's first render.

    python benchmarks/page.py [--calls 5]

It fills an embedded PostgreSQL (a minute) and serves the page without Ray, on loopback. Views are opened in Chromium,
if there is one, each in a new tab: the time is from the navigation until the view shows its data.
"""

import argparse
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx
import redis
import uvicorn
from sqlalchemy import Engine

from benchmarks.page_records import DAYS, STRATEGIES, fill
from memesnipe.api.access import RemoteAccess
from memesnipe.api.app import create_api
from memesnipe.api.backend import Backend
from memesnipe.api.commands import Commands
from memesnipe.api.request_checks import RequestChecks
from memesnipe.config.home import Home
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.database import connect, migrate
from memesnipe.storage.market_view import Market

LIMIT_S: Final = 1.0
TOKEN: Final = "benchmark"  # noqa: S105 - of this server alone
CALLS: Final = (
    "report", "learned", "portfolio", "risk", "equity?points=600", "periods",
    "strategies?limit=200", "strategies?limit=200&sort=pnl", "strategies?limit=200&evidence=growing&family=sniper",
    "strategies/s00001", "strategies/s00001/lineage", "families", "families/shares", "generations", "archive",
    "lifecycle", "market", "market/tokens?limit=200", "market/tokens/Mint1",
    "trades?limit=200", "trades?limit=200&spec_id=s00001", "trades?limit=200&offset=100000", "refusals?limit=200",
    "positions?limit=500", "actions", "commands", "settings", "trades.csv", "equity.parquet",
)  # fmt: skip
# The address of each view, and a text that its data has.
VIEWS: Final = {
    "": "s00001", "strategies": "5,000 strategies", "strategies/s00001": "Sum of profits",
    "compare/s00001,s00002": "Deflated Sharpe",
    "evolution": "descends from", "market": "tokens", "market/Mint1": "Our trades in it", "trades": "120,000 trades",
    "trades/positions": "closed", "trades/refusals": "100,000 refusals", "trades/periods": "Round trips",
    "system": "INITIAL_CAPITAL_USD",
}  # fmt: skip


def main() -> None:
    """Fill, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5, help="of each path after the first, and renders of each view")
    options = parser.parse_args()
    with served() as url:
        load, cores = os.getloadavg()[0], os.cpu_count()
        print(f"{STRATEGIES:,} strategies, {DAYS} days; load {load:.1f} on {cores} cores\n", flush=True)
        slow = [*_calls(url, options.calls), *_views(url, options.calls)]
    print(f"\nover {LIMIT_S:.0f} s: {', '.join(slow) or 'none'}")


@contextmanager
def served() -> Iterator[str]:
    """Serve the page over a database that is filled first; yield its address."""
    # PostgreSQL does not run as root, and does not enter folders that are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-page-")).resolve()
    folder.chmod(0o755)
    try:
        with LocalServers(*Home(folder).server_folders) as servers:
            urls = servers.start()
            assert urls.database_url and urls.redis_url  # noqa: S101 - the embedded servers have both
            database = connect(urls.database_url)
            migrate(database)
            started = time.perf_counter()
            fill(database, lambda run_id: folder / f"{run_id}.bin")
            print(f"filled in {time.perf_counter() - started:.0f} s")
            with _server(database, redis.Redis.from_url(urls.redis_url), folder) as url:
                yield url
            database.dispose()
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(database: Engine, client: redis.Redis, folder: Path) -> Iterator[str]:
    backend = Backend(database, client, lambda: True, datetime.now(UTC))
    market = Market(lambda run_id: folder / f"{run_id}.bin")
    commands = Commands(database, TOKEN, folder / "halt")
    api = create_api(backend, commands, market, lambda _: {"genome": "of the benchmark"}, 20)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(RequestChecks(RemoteAccess(api, TOKEN)), log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _calls(url: str, calls: int) -> list[str]:
    """Print the times of the API; return the paths whose median is over the limit."""
    slow = []
    print(f"{'path':<55}{'first, ms':>10}{'median, ms':>12}{'KB':>8}")
    with httpx.Client(base_url=url, timeout=60) as client:
        started = time.perf_counter()
        while client.get("/api/market").json().get("behind", 1):  # it counts the event log; too slow, it is a problem
            pass
        print(f"{'market, until the log is counted':<55}{(time.perf_counter() - started) * 1e3:>10.0f}")
        for path in CALLS:
            times = []
            for _ in range(1 + calls):
                started = time.perf_counter()
                answer = client.get(f"/api/{path}")
                times.append(time.perf_counter() - started)
                if answer.is_error:
                    print(f"{path}: {answer.status_code} {answer.json()['detail']}")
            usual = median(times[1:])  # of an error too: it says that the time is over
            print(f"{path:<55}{times[0] * 1e3:>10.0f}{usual * 1e3:>12.0f}{len(answer.content) / 1_000:>8.0f}")
            slow += [path] if usual > LIMIT_S else []
        usual = median(_first_state(client) for _ in range(calls))
        print(f"{'events, until the first state':<55}{'':>10}{usual * 1e3:>12.0f}")
    return slow


def _first_state(client: httpx.Client) -> float:
    started = time.perf_counter()
    with client.stream("GET", "/api/events") as stream:
        next(line for line in stream.iter_lines() if line.startswith("data: "))
    return time.perf_counter() - started


def _views(url: str, renders: int) -> list[str]:
    """Print the time of each view's first render; return those over the limit."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("\nno Chromium here: the views are not opened")
        return []
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of the development tools

    slow = []
    print(f"\n{'view':<55}{'median, ms':>12}")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"])
        for view, text in VIEWS.items():
            usual = median(_opened(browser, f"{url}/#/{view}", text) for _ in range(renders))
            print(f"{view or 'overview':<55}{usual * 1e3:>12.0f}")
            slow += [f"view {view or 'overview'}"] if usual > LIMIT_S else []
        browser.close()
    return slow


def _opened(browser: Any, address: str, text: str) -> float:
    tab = browser.new_page(viewport={"width": 1400, "height": 900})
    started = time.perf_counter()
    tab.goto(address, wait_until="commit")
    tab.locator("#view").filter(has_text=text).wait_for()
    seconds = time.perf_counter() - started
    tab.close()
    return seconds


if __name__ == "__main__":
    main()
