"""How many strategies the live system moves at which rate, and how long a decision takes: through its real servers."""

import heapq
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from pydantic import SecretStr

from actors.context import RESOLVED, Context, installation_of
from actors.executor import Executor
from memesnipe.bus.merge import Entry
from memesnipe.bus.redis_bus import Bus
from memesnipe.bus.streams import ALLOCATIONS, EVENT_STREAMS
from memesnipe.errors import MemeSnipeError
from memesnipe.evolution.operators import random_genomes
from memesnipe.feeds.base import FeedChoice
from memesnipe.feeds.synthetic import SyntheticFeed
from memesnipe.local.servers import LocalServers
from memesnipe.market.codec import STREAM_OF_KIND, to_messages
from memesnipe.market.sequencer import Sequencer
from memesnipe.sdk.registry import discover
from memesnipe.settings import Settings, write_resolved
from memesnipe.storage.database import connect, migrate
from memesnipe.storage.journal import Effects
from memesnipe.storage.runs import begin_run
from memesnipe.telemetry.metrics import ActorMetrics

SEED: Final = 24
MARKETS: Final = 46  # synthetic markets merged: together about 300 events in a second of their own time
ALLOCATED: Final = 20  # strategies whose decisions go through the desk
TICK_S: Final = 0.005  # a live feed hands over what came in so long
PATIENCE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Load:
    """One thing to measure."""

    strategies: int
    rate: float  # events a second
    seconds: float
    shards: int = 1


def market(events: int) -> list[tuple[str, int, int, bytes]]:
    """So many events of a market with hundreds of tokens alive, as they are published; no decision is due in them."""
    feeds = [SyntheticFeed(SEED + i).messages(0) for i in range(MARKETS)]
    raw = list(islice(heapq.merge(*feeds, key=lambda message: message["ts"]), events))
    sequencer = Sequencer(10**9, 10**9)
    stamped, _ = sequencer.stamp(raw)
    messages = to_messages(stamped, sequencer.mints)
    return [
        (STREAM_OF_KIND[int(k)], m["seq"], m["seq"], orjson.dumps(m))
        for k, m in zip(stamped["kind"], messages, strict=True)
    ]


class _TimedExecutor(Executor):
    """The executor itself; it also notes when it has decided about each event, and takes its share of the arena."""

    def begin(self, decided_ns: Any, cpu_s: Any, shard: int, shards: int) -> None:
        """Say where to note it, and the CPU time that it took."""
        self._decided_ns, self._cpu_s, self._shard, self._shards = decided_ns, cpu_s, shard, shards

    def handle(self, entries: list[Entry], effects: Effects) -> None:
        for entry in entries:
            if entry.stream == ALLOCATIONS:
                entry.data["added"] = entry.data["added"][self._shard :: self._shards]
                entry.data["allocations_usd"] = {} if self._shard else entry.data["allocations_usd"]
        super().handle(entries, effects)
        events = [entry.number for entry in entries if entry.stream in EVENT_STREAMS]
        if events:
            self._cpu_s[0] = time.process_time()
            self._decided_ns[events[0] : events[-1] + 1] = time.monotonic_ns()


def _run_executor(home: Path, run_id: int, notes: Path, shard: int, shards: int, stop: Flag) -> None:
    """One executor in a process of its own, until it is told to stop; leaves the CPU time it took."""
    decided_ns = np.load(notes / f"decided{shard}.npy", mmap_mode="r+")
    cpu_s = np.load(notes / f"cpu{shard}.npy", mmap_mode="r+")
    executor = _TimedExecutor(Context(home, run_id), ActorMetrics(f"bench{shard}"))
    executor.begin(decided_ns, cpu_s, shard, shards)
    executor.open()
    while not stop.is_set():
        executor.step()
    executor.close()


class _Arena:
    """Executors at work on a fresh run, and the market that is published to them."""

    def __init__(self, home: Path, settings: Settings, published: list[Any], load: Load) -> None:
        assert settings.redis_url is not None  # noqa: S101 - we have just started it
        assert settings.database_url is not None  # noqa: S101
        self._load, self._events = load, published
        self._home = home
        database = connect(settings.database_url.get_secret_value())
        choice = FeedChoice("synthetic", 1.0, "", SEED)
        self._runs = [
            begin_run(database, f"bench {time.monotonic_ns()}", choice.to_dict(), {}).run_id for _ in range(load.shards)
        ]
        database.dispose()
        self._bus = Bus(settings.redis_url.get_secret_value())
        self._bus.take_over(installation_of(home), self._runs[0])
        self._notes = Path(tempfile.mkdtemp(dir=home))
        self.published_ns = np.zeros(len(published) + 1, np.int64)
        for shard in range(load.shards):
            np.save(self._notes / f"decided{shard}.npy", self.published_ns)
            np.save(self._notes / f"cpu{shard}.npy", np.zeros(1))
        self._sent = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Start the executors, let them take the strategies in, and warm up."""
        spawn = multiprocessing.get_context("spawn")
        stop = spawn.Event()
        workers = [
            spawn.Process(
                target=_run_executor, args=(self._home, run, self._notes, shard, len(self._runs), stop), daemon=True
            )
            for shard, run in enumerate(self._runs)
        ]
        for worker in workers:
            worker.start()
        self._decided = [np.load(self._notes / f"decided{i}.npy", mmap_mode="r") for i in range(len(workers))]
        self._cpu = [np.load(self._notes / f"cpu{i}.npy", mmap_mode="r") for i in range(len(workers))]
        try:
            self._invite()
            yield
        finally:
            stop.set()
            for worker in workers:
                worker.join(PATIENCE_S)
                worker.kill()
            self._bus.close()

    def _invite(self) -> None:
        genomes = random_genomes(np.random.default_rng(SEED), discover(), self._load.strategies)
        message = {
            "seq": 0,
            "added": [genome.to_dict() for genome in genomes],
            "removed": [],
            "allocations_usd": {genome.spec_id: 500.0 for genome in genomes[:ALLOCATED]},
        }
        self._bus.publish([(ALLOCATIONS, 1, 0, orjson.dumps(message))])

    def left(self) -> int:
        """How many events are not published yet."""
        return len(self._events) - self._sent

    def send(self, count: int) -> None:
        """Publish the next events at once."""
        part = self._events[self._sent : self._sent + count]
        self.published_ns[self._sent + 1 : self._sent + len(part) + 1] = time.monotonic_ns()
        self._bus.publish(part)
        self._sent += len(part)

    def wait(self) -> float:
        """Wait until all that was published is decided by all; gives how long that took.

        Raises:
            MemeSnipeError: it takes too long.
        """
        began = time.monotonic()
        while any(decided[self._sent] == 0 for decided in self._decided):
            if time.monotonic() - began > PATIENCE_S:
                raise MemeSnipeError(f"the executors have not decided about event {self._sent} in {PATIENCE_S:.0f} s")
            time.sleep(0.001)
        return time.monotonic() - began

    def measure(self, rate: float, seconds: float) -> dict[str, Any]:
        """Publish at a rate for a time, and say how long decisions took."""
        first, cpu_before, began = self._sent + 1, [float(c[0]) for c in self._cpu], time.monotonic()
        while (passed := time.monotonic() - began) < seconds and self._sent < len(self._events):
            due = int(passed * rate) - (self._sent + 1 - first)
            if due > 0:
                self.send(due)
            time.sleep(TICK_S)
        offered = self._sent + 1 - first
        offered_in = time.monotonic() - began
        behind = self.wait()
        taken = time.monotonic() - began
        sent = slice(first, self._sent + 1)
        late = np.max([decided[sent] for decided in self._decided], axis=0) - self.published_ns[sent]
        p50, p99 = np.percentile(late, [50, 99]) / 1e6
        return {
            "events_per_s": round(offered / offered_in, 1),
            "p50_ms": round(float(p50), 2),
            "p99_ms": round(float(p99), 2),
            "max_ms": round(float(late.max()) / 1e6, 2),
            "behind_at_end_s": round(behind, 3),
            "cpu_share": [round((float(c[0]) - b) / taken, 3) for c, b in zip(self._cpu, cpu_before, strict=True)],
        }


def bench_live(say: Callable[[str], None], *, quick: bool) -> dict[str, Any]:
    """Latencies at the rates that are aimed at, and the highest rates that are sustained."""
    many, few, long_s, short_s = (200, 50, 1.0, 0.5) if quick else (10_000, 1_000, 30.0, 5.0)
    warm = 300 if quick else 3_000
    say("making a market")
    events = market(warm + (6_000 if quick else 150_000))
    home = Path(tempfile.mkdtemp(prefix="memesnipe-bench-"))
    home.chmod(0o755)  # the embedded PostgreSQL runs as another user where we are root
    try:
        with LocalServers(home) as servers:
            urls = servers.start()
            settings = Settings(
                _env_file=None, memesnipe_home=home,
                redis_url=SecretStr(urls.redis_url or ""), database_url=SecretStr(urls.database_url or ""),
            )  # type: ignore[call-arg]  # fmt: skip
            write_resolved(settings, home / RESOLVED)
            database = connect(urls.database_url or "")
            migrate(database)
            database.dispose()
            bench = _Bench(home, settings, events, warm, say)
            return {
                "whole_market": bench.at(Load(many, 300, long_s)),
                "fast": bench.at(Load(few, 5_000, short_s)),
                "sustained": {str(many): bench.most(many, short_s), str(few): bench.most(few, short_s)},
                "sustained_by_two": {str(many): bench.most(many, short_s, shards=2)},
                "tokens": len({m["token"] for m in (orjson.loads(e[3]) for e in events[:warm]) if "mint" in m}),
            }
    finally:
        shutil.rmtree(home, ignore_errors=True)


class _Bench:
    """Measures one load after the other, each with executors of its own."""

    def __init__(
        self, home: Path, settings: Settings, events: list[Any], warm: int, say: Callable[[str], None]
    ) -> None:
        self._home, self._settings, self._events, self._warm, self._say = home, settings, events, warm, say

    def at(self, load: Load) -> dict[str, Any]:
        """The latency at one rate."""
        self._say(f"{load.strategies:,} strategies at {load.rate:,.0f} events/s")
        arena = _Arena(self._home, self._settings, self._events, load)
        with arena.working():
            arena.send(self._warm)
            arena.wait()
            return {"strategies": load.strategies, **arena.measure(load.rate, load.seconds)}

    def most(self, strategies: int, seconds: float, shards: int = 1) -> dict[str, Any]:
        """The highest of a row of rates at which the last event is decided within a second of its publication."""
        best: dict[str, Any] = {"events_per_s": 0.0}
        arena = _Arena(self._home, self._settings, self._events, Load(strategies, 0, seconds, shards))
        with arena.working():
            arena.send(self._warm)
            arena.wait()
            rate = 300.0 if strategies > 1_000 else 1_500.0
            while arena.left() >= rate * seconds:
                self._say(f"{strategies:,} strategies, {shards} executors, at {rate:,.0f} events/s")
                found = arena.measure(rate, seconds)
                if found["behind_at_end_s"] > 1.0 or found["events_per_s"] < 0.9 * rate:
                    return best
                best = found
                rate *= 1.5
            return best
