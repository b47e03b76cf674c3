"""Executors for the benchmark of the live system: one process each, with a share of the strategies."""

import multiprocessing
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy import update

from memesnipe.bus.merge import Entry
from memesnipe.bus.publish import Outgoing
from memesnipe.bus.redis_bus import Bus
from memesnipe.bus.streams import ALLOCATIONS, EVENT_STREAMS
from memesnipe.config.home import installation_of
from memesnipe.config.settings import Settings
from memesnipe.engine.genome import Genome
from memesnipe.errors import MemeSnipeError
from memesnipe.feeds.base import FeedChoice
from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.storage.database import connect
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.runs import begin_run
from memesnipe.storage.schema import Run
from memesnipe.telemetry.metrics import ActorMetrics

ALLOCATED: Final = 20  # strategies whose decisions go through the desk
ALLOCATED_USD: Final = 500.0
REPLACED: Final = 8  # strategies at each decision of the portfolio
TIMEOUT_S: Final = 120.0
_SEED: Final = 24
_STREAM_KEY: Final = "bench"


@dataclass(frozen=True, slots=True)
class Market:
    """Events as published, and the seq of those after which a decision of the portfolio is due."""

    messages: list[tuple[str, int, int, bytes]]
    decisions: list[int]


class _TimedExecutor(Executor):
    """An executor that records when it has decided on each event, and that takes its share of the strategies."""

    def begin(self, decided_ns: Any, cpu_s: Any, part: int, parts: int) -> None:
        """Set the arrays to record decision times and CPU time in, and the executor's part of the strategies."""
        self._decided_ns, self._cpu_s, self._part, self._parts = decided_ns, cpu_s, part, parts

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        for entry in entries:
            if entry.stream == ALLOCATIONS:
                entry.data["added"] = entry.data["added"][self._part :: self._parts]
                entry.data["allocations_usd"] = {} if self._part else entry.data["allocations_usd"]
        super().handle(entries, work)
        events = [entry.number for entry in entries if entry.stream in EVENT_STREAMS]
        if events:
            self._cpu_s[0] = time.process_time()
            self._decided_ns[events[0] : events[-1] + 1] = time.monotonic_ns()


class _OwnStreams(Bus):
    """A bus that publishes to separate streams per run: there are several executors, and a stream has one writer."""

    def __init__(self, url: str, run_id: int) -> None:
        super().__init__(url)
        self._run_id = run_id

    def publish(self, outgoing: Iterable[Outgoing], rebuild: Sequence[str] = ()) -> None:
        """Append entries in order."""
        own = ((f"{stream}:{self._run_id}", number, seq, data) for stream, number, seq, data in outgoing)
        super().publish(own, [f"{stream}:{self._run_id}" for stream in rebuild])


def _run(home: Path, run_id: int, notes: Path, part: int, parts: int, stop: Flag) -> None:
    """Run one executor until ``stop`` is set."""
    decided_ns = np.load(notes / f"decided{part}.npy", mmap_mode="r+")
    cpu_s = np.load(notes / f"cpu{part}.npy", mmap_mode="r+")
    context = Context(home, run_id)
    assert context.settings.redis_url is not None  # noqa: S101 - started by the benchmark
    context.bus = _OwnStreams(context.settings.redis_url.get_secret_value(), run_id)
    executor = _TimedExecutor(context, ActorMetrics(f"bench{part}"))
    executor.begin(decided_ns, cpu_s, part, parts)
    executor.open()
    while not stop.is_set():
        executor.step()
    executor.close()


class Executors:
    """Executors on a fresh run, and the market that is published to them.

    Like the portfolio, it replaces some strategies when a decision is due, so that the cost of decisions is measured
    too. Only the first executor has a desk.
    """

    def __init__(self, home: Path, settings: Settings, market: Market, genomes: list[Genome], count: int) -> None:
        assert settings.redis_url is not None  # noqa: S101 - just started
        assert settings.database_url is not None  # noqa: S101
        self._home, self._market = home, market
        self._waiting = genomes[::-1]
        self._alive: list[str] = []
        database = connect(settings.database_url.get_secret_value())
        choice = FeedChoice("synthetic", 1.0, "", _SEED)
        self._runs = [
            begin_run(database, f"bench {time.monotonic_ns()}", choice.to_dict(), {}).run_id for _ in range(count)
        ]
        with database.begin() as connection:  # all executors read the same streams
            connection.execute(update(Run).where(Run.run_id.in_(self._runs)).values(stream_key=_STREAM_KEY))
        database.dispose()
        self._bus = Bus(settings.redis_url.get_secret_value())
        self._bus.take_over(installation_of(home), self._runs[0])
        self._bus.begin(installation_of(home), self._runs[0], "bench", _STREAM_KEY.encode())
        self._notes = Path(tempfile.mkdtemp(dir=home))
        self._published_ns = np.zeros(len(market.messages) + 1, np.int64)
        for part in range(count):
            np.save(self._notes / f"decided{part}.npy", self._published_ns)
            np.save(self._notes / f"cpu{part}.npy", np.zeros(1))
        self._allocations = 0
        self._sent = 0

    @contextmanager
    def working(self, strategies: int) -> Iterator[None]:
        """Start the executors with ``strategies`` strategies; stop them at the end of the block."""
        spawn = multiprocessing.get_context("spawn")
        stop = spawn.Event()
        workers = [
            spawn.Process(target=_run, args=(self._home, run, self._notes, part, len(self._runs), stop), daemon=True)
            for part, run in enumerate(self._runs)
        ]
        for worker in workers:
            worker.start()
        self._decided = [np.load(self._notes / f"decided{i}.npy", mmap_mode="r") for i in range(len(workers))]
        self._cpu = [np.load(self._notes / f"cpu{i}.npy", mmap_mode="r") for i in range(len(workers))]
        try:
            self._allocate(0, strategies, [])
            yield
        finally:
            stop.set()
            for worker in workers:
                worker.join(TIMEOUT_S)
                worker.kill()
            self._bus.close()

    def _allocate(self, seq: int, joining: int, leaving: list[str]) -> None:
        added = [self._waiting.pop() for _ in range(min(joining, len(self._waiting)))]
        self._alive = [s for s in self._alive if s not in leaving] + [genome.spec_id for genome in added]
        message = {
            "seq": seq,
            "added": [genome.to_dict() for genome in added],
            "removed": leaving,
            "allocations_usd": dict.fromkeys(self._alive[:ALLOCATED], ALLOCATED_USD),
        }
        self._allocations += 1
        self._bus.publish([(ALLOCATIONS, self._allocations, seq, orjson.dumps(message))])

    def left(self) -> int:
        """Return the number of events that are not published yet."""
        return len(self._market.messages) - self._sent

    def send(self, count: int) -> None:
        """Publish the next ``count`` events, followed by the decision if one is due among them."""
        first = self._sent
        part = self._market.messages[first : first + count]
        self._published_ns[first + 1 : first + len(part) + 1] = time.monotonic_ns()
        self._bus.publish(part)
        self._sent += len(part)
        if any(first < seq <= self._sent for seq in self._market.decisions):
            self._allocate(self._sent, REPLACED, self._alive[ALLOCATED : ALLOCATED + REPLACED])

    def wait(self) -> float:
        """Wait until every executor has decided on every published event; return the seconds waited.

        Raises:
            MemeSnipeError: they have not within the timeout.
        """
        began = time.monotonic()
        while any(decided[self._sent] == 0 for decided in self._decided):
            if time.monotonic() - began > TIMEOUT_S:
                raise MemeSnipeError(f"the executors have not decided about event {self._sent} in {TIMEOUT_S:.0f} s")
            time.sleep(0.001)
        return time.monotonic() - began

    def measure(self, rate: float, seconds: float, tick_s: float) -> dict[str, Any]:
        """Publish at a rate (events per second) for ``seconds``, in ticks of ``tick_s``; return the latencies."""
        first, cpu_before, began = self._sent + 1, [float(c[0]) for c in self._cpu], time.monotonic()
        while (passed := time.monotonic() - began) < seconds and self.left():
            due = int(passed * rate) - (self._sent + 1 - first)
            if due > 0:
                self.send(due)
            time.sleep(tick_s)
        offered = self._sent + 1 - first
        offered_in = time.monotonic() - began
        behind = self.wait()
        taken = time.monotonic() - began
        sent = slice(first, self._sent + 1)
        late = np.max([decided[sent] for decided in self._decided], axis=0) - self._published_ns[sent]
        p50, p99 = np.percentile(late, [50, 99]) / 1e6
        return {
            "events_per_s": round(offered / offered_in, 1),
            "p50_ms": round(float(p50), 2),
            "p99_ms": round(float(p99), 2),
            "max_ms": round(float(late.max()) / 1e6, 2),
            "decisions": sum(first <= seq <= self._sent for seq in self._market.decisions),
            "behind_at_end_s": round(behind, 3),
            "cpu_share": [round((float(c[0]) - b) / taken, 3) for c, b in zip(self._cpu, cpu_before, strict=True)],
        }
