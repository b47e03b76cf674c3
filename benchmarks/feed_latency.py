"""Time from a frame on a websocket to its event on `events:price`, with market_data on its real servers.

    .venv/bin/python benchmarks/feed_latency.py [--rate 328] [--seconds 10] [--every 0.4]

Two websockets on this machine send frames of the synthetic market at the rate of all of pump.fun: each when it is due,
or with `--every` those of so many seconds at once, as a node sends those of a slot. The websockets, market_data and a
reader of the stream are processes of their own, so none waits for another's interpreter.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from math import inf
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.feed_steps import StepTimes, describe
from benchmarks.frame_player import Key, Pace, key_of, play
from memesnipe.bus.redis_bus import Bus
from memesnipe.config.home import Home, installation_of
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.feeds.choice import FeedChoice, make_feed
from memesnipe.feeds.sol_price import SOL_MINT
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.garbage import collect_in_small_steps
from memesnipe.market.events import NS_PER_S
from memesnipe.protocol.streams import EVENTS, MAX_IN_FLIGHT
from memesnipe.roles.context import Context
from memesnipe.roles.feed_endpoints import endpoints_of
from memesnipe.roles.market_data import MarketData
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.database import connect, migrate
from memesnipe.storage.runs import begin_run
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.testing.polled_server import PolledServer

SEED: Final = 7
TRADES_PER_S: Final = 7.8  # of the synthetic market at its own speed
WARM_UP_S: Final = 3.0
PATIENCE_S: Final = 30.0
SPAWN: Final = multiprocessing.get_context("spawn")


def main() -> None:
    """Play the market, and print the latencies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=328.0, help="frames a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=0.0, help="seconds whose frames are sent at once")
    options = parser.parse_args()
    if options.rate <= 0 or options.seconds <= 0 or options.every < 0:
        parser.error("--rate and --seconds must be above 0, and --every not below")
    if options.rate * (WARM_UP_S + options.seconds) > MAX_IN_FLIGHT:
        parser.error(f"at most {MAX_IN_FLIGHT:,} frames: market_data waits for the executor then, and there is none")
    home = Path(tempfile.mkdtemp(prefix="memesnipe-bench-"))
    home.chmod(0o755)  # as root, the embedded PostgreSQL runs as another user
    try:
        with LocalServers(*Home(home).server_folders) as servers, PolledServer() as prices:
            for slot in range(1, 100):
                prices.send(json.dumps({SOL_MINT: {"usdPrice": 200.0, "blockId": slot}}))
            urls = servers.start()
            servers_of = {"redis_url": urls.redis_url, "database_url": urls.database_url, "memesnipe_home": home}
            measured = _measure(home, {**servers_of, "jupiter_api_url": prices.url}, options)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    latencies_ms = np.array(measured.latencies) / 1e6
    p50, p99, p999 = np.percentile(latencies_ms, [50, 99, 99.9])
    print(
        f"{len(latencies_ms):,} trades at {len(latencies_ms) / options.seconds:,.0f} a second, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}: from frame to events:price p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
        f"p99.9 {p999:.1f} ms, max {latencies_ms.max():.1f} ms; {measured.cpu_s / len(latencies_ms) * 1e3:.2f} ms of "
        "market_data's processor time for each"
    )
    print("\n".join(measured.steps))


@dataclass(frozen=True, slots=True)
class Measured:
    """The trades after the warm-up.

    Attributes:
        latencies: from its frame to its event of each, in ns.
        steps: lines that say what they are made of.
        cpu_s: processor time of market_data, of its threads and for its measured part.
    """

    latencies: list[int]
    steps: list[str]
    cpu_s: float


def _measure(home: Path, settings: dict[str, Any], options: argparse.Namespace) -> Measured:
    """Play the frames, and measure each trade."""
    total_s = WARM_UP_S + options.seconds
    pace = Pace(options.rate / TRADES_PER_S, total_s, options.every)
    player, to_player = _begin(
        play, list(islice(SyntheticFeed(SEED).messages(0), int(2 * options.rate * total_s))), pace
    )
    websockets = ",".join(to_player.recv())
    nobody = "http://127.0.0.1:9"  # every pool is created on the websockets
    resolved = settings_from({**settings, "solana_ws_url": websockets, "solana_rpc_url": nobody}, env_file=None)
    write_resolved(resolved, Home(home).settings)
    database = connect(settings["database_url"])
    migrate(database)
    run = begin_run(database, "bench", FeedChoice("pumpfun", 1.0).to_dict(), {})
    database.dispose()
    bus = Bus(settings["redis_url"])
    bus.take_over(installation_of(home), run.run_id)  # before market_data has its mark there
    bus.close()
    stop = SPAWN.Event()
    market_data, to_market_data = _begin(_run, home, run.run_id, stop)
    reader, to_reader = _begin(_read, settings["redis_url"])
    sent: dict[Key, int] = to_player.recv()
    to_reader.send(len(sent))
    if not to_reader.poll(PATIENCE_S):
        raise TimeoutError("market_data has not published every trade")
    arrived: dict[Key, int] = to_reader.recv()
    stop.set()
    steps, cpu_s = to_market_data.recv()
    to_player.send(None)
    for process in (player, market_data, reader):
        process.join(PATIENCE_S)
    measured_from_ns = min(sent.values()) + int(WARM_UP_S * NS_PER_S)
    counted = {trade: at_ns for trade, at_ns in sent.items() if at_ns > measured_from_ns}
    latencies = [arrived[trade] - at_ns for trade, at_ns in counted.items()]
    return Measured(latencies, describe(counted, steps, arrived), cpu_s * len(counted) / len(sent))


def _begin(target: Any, *arguments: Any) -> tuple[SpawnProcess, Connection]:
    """Start a process with a connection to it as its last argument."""
    ours, its = SPAWN.Pipe()
    process = SPAWN.Process(target=target, args=(*arguments, its), daemon=True)
    process.start()
    return process, ours


def _run(home: Path, run_id: int, stop: Flag, parent: Connection) -> None:
    """Run market_data until ``stop`` is set; send the times of its steps, and its processor time from the start on."""
    steps = StepTimes()
    steps.record()
    context = Context(home, run_id)
    feed = make_feed(context.choice, context.feed_checkpoints, endpoints_of(context.settings))
    market_data = MarketData(context, ActorMetrics("bench"), feed)
    collect_in_small_steps()  # as the actor does
    market_data.open()
    began_s = time.process_time()
    while not stop.is_set():
        market_data.step()
    parent.send((steps, time.process_time() - began_s))
    market_data.close()


def _read(redis_url: str, parent: Connection) -> None:
    """Send the time at which each trade was read from its stream, once as many have been as the parent asks for."""
    bus = Bus(redis_url)
    arrived: dict[Key, int] = {}
    offset, trades = 0, inf
    while len(arrived) < trades:
        for entry in bus.read({EVENTS: offset}, block_ms=100):
            now_ns, event, offset = time.time_ns(), entry.payload, entry.number
            if event.kind == "price":
                arrived.setdefault(key_of(event.mint, event.slot, event.pool_sol_lamports, event.token_raw), now_ns)
        if parent.poll():
            trades = parent.recv()
    parent.send(arrived)
    bus.close()


if __name__ == "__main__":
    main()
