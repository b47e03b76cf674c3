"""Time from a frame on a websocket to its event on `events:price`, with market_data on its real servers.

    .venv/bin/python benchmarks/feed_latency.py [--rate 328] [--seconds 10]

Two websockets on this machine send frames of the synthetic market at the rate of all of pump.fun. market_data runs in a
process of its own, as an actor does, and a reader waits for the stream in this one.
"""

import argparse
import multiprocessing
import os
import shutil
import tempfile
import threading
import time
from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from typing import Any

import numpy as np

from memesnipe.bus.redis_bus import Bus
from memesnipe.config.home import Home, installation_of
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.feeds.choice import FeedChoice, make_feed
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.protocol.streams import EVENTS, MAX_IN_FLIGHT
from memesnipe.roles.context import Context
from memesnipe.roles.feed_endpoints import endpoints_of
from memesnipe.roles.market_data import MarketData
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.database import connect, migrate
from memesnipe.storage.runs import begin_run
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.testing.live_market import LiveMarket

SEED = 7
TRADES_PER_S = 7.8  # of the synthetic market at its own speed
WARM_UP_S = 3.0
PATIENCE_S = 30.0

Key = tuple[Any, ...]


def main() -> None:
    """Play the market, and print the latencies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=328.0, help="frames a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    if options.rate <= 0 or options.seconds <= 0:
        parser.error("--rate and --seconds must be above 0")
    if options.rate * (WARM_UP_S + options.seconds) > MAX_IN_FLIGHT:
        parser.error(f"at most {MAX_IN_FLIGHT:,} frames: market_data waits for the executor then, and there is none")
    home = Path(tempfile.mkdtemp(prefix="memesnipe-bench-"))
    home.chmod(0o755)  # as root, the embedded PostgreSQL runs as another user
    try:
        with (
            LocalServers(*Home(home).server_folders) as servers,
            LiveMarket(SyntheticFeed(SEED).messages(0), options.rate / TRADES_PER_S) as market,
        ):
            urls = servers.start()
            addresses = {"redis_url": urls.redis_url, "database_url": urls.database_url}
            connections = {name.lower(): value for name, value in market.settings.items()}
            settings = settings_from({"memesnipe_home": home, **addresses, **connections}, env_file=None)
            write_resolved(settings, Home(home).settings)
            database = connect(urls.database_url or "")
            migrate(database)
            run = begin_run(database, "bench", FeedChoice("pumpfun", 1.0).to_dict(), {})
            database.dispose()
            measured = _measure(home, run.run_id, urls.redis_url or "", market, options.seconds)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    latencies_ms = np.array(measured) / 1e6
    p50, p99, p999 = np.percentile(latencies_ms, [50, 99, 99.9])
    print(
        f"{len(latencies_ms):,} trades at {len(latencies_ms) / options.seconds:,.0f} a second, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}: from frame to events:price p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
        f"p99.9 {p999:.1f} ms, max {latencies_ms.max():.1f} ms"
    )


def _measure(home: Path, run_id: int, redis_url: str, market: LiveMarket, seconds: float) -> list[int]:
    """Return the time from its frame to its event of each trade after the warm-up, in ns."""
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    process = spawn.Process(target=_run, args=(home, run_id, stop), daemon=True)
    arrived: dict[Key, int] = {}
    reader = threading.Thread(target=_read, args=(home, run_id, redis_url, arrived, stop))
    process.start()
    reader.start()
    try:
        _wait_until(lambda: all(server.requests for server in market.websockets))
        market.start()
        began_ns = time.time_ns()
        _wait_until(lambda: time.time_ns() - began_ns > (WARM_UP_S + seconds) * 1e9, WARM_UP_S + seconds + PATIENCE_S)
        market.stop()
        sent = {
            _key(message["mint"], message["slot"], message["pool_sol_lamports"], message["token_raw"]): at_ns
            for message, at_ns in zip(market.sent, market.sent_at_ns, strict=True)
            if message["kind"] == "price" and at_ns - began_ns > WARM_UP_S * 1e9
        }
        _wait_until(lambda: sent.keys() <= arrived.keys())
    finally:
        stop.set()
        process.join(PATIENCE_S)
        reader.join()
    return [arrived[key] - at_ns for key, at_ns in sent.items()]


def _run(home: Path, run_id: int, stop: Flag) -> None:
    """Run market_data until ``stop`` is set."""
    context = Context(home, run_id)
    feed = make_feed(context.choice, context.feed_checkpoints, endpoints_of(context.settings))
    market_data = MarketData(context, ActorMetrics("bench"), feed)
    market_data.open()
    while not stop.is_set():
        market_data.step()
    market_data.close()


def _read(home: Path, run_id: int, redis_url: str, arrived: dict[Key, int], stop: Flag) -> None:
    """Record when each trade is read from its stream."""
    bus = Bus(redis_url)
    bus.take_over(installation_of(home), run_id)
    offset = 0
    while not stop.is_set():
        for entry in bus.read({EVENTS: offset}, block_ms=100):
            now_ns, event, offset = time.time_ns(), entry.payload, entry.number
            if event.kind == "price":
                arrived.setdefault(_key(event.mint, event.slot, event.pool_sol_lamports, event.token_raw), now_ns)
    bus.close()


def _key(*values: Any) -> Key:
    return values


def _wait_until(is_done: Any, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError("market_data has not published every trade")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
