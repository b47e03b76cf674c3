"""The executor in the benchmark of the live system: a process of its own on real servers, timed event by event."""

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from typing import Any, Final

import numpy as np

from memesnipe.bus.merge import Entry
from memesnipe.bus.redis_bus import Bus
from memesnipe.config.home import installation_of
from memesnipe.config.settings import Settings
from memesnipe.engine.genome import Genome
from memesnipe.errors import MemeSnipeError
from memesnipe.feeds.choice import FeedChoice
from memesnipe.protocol.messages import AllocationMessage
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import EVENT_STREAMS
from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.storage.database import connect
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.runs import begin_run, read_stream_key
from memesnipe.telemetry.metrics import ActorMetrics

ALLOCATED: Final = 20  # strategies whose decisions go through the desk
ALLOCATED_USD: Final = 500.0
REPLACED: Final = 8  # strategies at each decision of the portfolio
PATIENCE_S: Final = 120.0
_SEED: Final = 24


@dataclass(frozen=True, slots=True)
class Market:
    """Events as they are published."""

    messages: list[tuple[str, int, int, bytes]]
    decisions: list[int]  # the events after which a decision is due
    tokens: int


class _TimedExecutor(Executor):
    """The executor itself, which also notes when it has decided about each event, and its CPU time."""

    def note_to(self, decided_ns: Any, cpu_s: Any) -> None:
        """Set the arrays to note to: time of the decision by event, shape (events + 1,), and CPU time, shape (1,)."""
        self._decided_ns, self._cpu_s = decided_ns, cpu_s

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        super().handle(entries, work)
        events = [entry.number for entry in entries if entry.stream in EVENT_STREAMS]
        if events:
            self._cpu_s[0] = time.process_time()
            self._decided_ns[events[0] : events[-1] + 1] = time.monotonic_ns()


def _run(home: Path, run_id: int, notes: Path, stop: Flag) -> None:
    """Run one executor until ``stop`` is set."""
    executor = _TimedExecutor(Context(home, run_id), ActorMetrics("bench"))
    executor.note_to(np.load(notes / "decided.npy", mmap_mode="r+"), np.load(notes / "cpu.npy", mmap_mode="r+"))
    executor.open()
    while not stop.is_set():
        executor.step()
    executor.close()


class TimedRun:
    """An executor on a new run, in a separate process, and the market that is published to it.

    Like the portfolio, it replaces some strategies wherever a decision is due, so that the cost of a decision is
    measured too.
    """

    def __init__(self, home: Path, settings: Settings, market: Market, genomes: list[Genome]) -> None:
        assert settings.servers.redis_url is not None  # noqa: S101 - the benchmark has started it
        assert settings.servers.database_url is not None  # noqa: S101
        self._home, self._market = home, market
        self._unused = genomes[::-1]
        self._active: list[str] = []
        database = connect(settings.servers.database_url.get_secret_value())
        choice = FeedChoice("synthetic", 1.0, "", _SEED)
        self._run_id = begin_run(database, f"bench {time.monotonic_ns()}", choice.to_dict(), {}).run_id
        stream_key = read_stream_key(database, self._run_id)
        database.dispose()
        self._bus = Bus(settings.servers.redis_url.get_secret_value())
        self._bus.take_over(installation_of(home), self._run_id)
        self._bus.begin(installation_of(home), self._run_id, "bench", stream_key)
        self._notes = Path(tempfile.mkdtemp(dir=home))
        self._published_ns = np.zeros(len(market.messages) + 1, np.int64)
        np.save(self._notes / "decided.npy", self._published_ns)
        np.save(self._notes / "cpu.npy", np.zeros(1))
        self._allocations = 0
        self._sent = 0

    @contextmanager
    def working(self, strategies: int) -> Iterator[None]:
        """Start the executor, and let so many strategies join."""
        spawn = multiprocessing.get_context("spawn")
        stop = spawn.Event()
        worker = spawn.Process(target=_run, args=(self._home, self._run_id, self._notes, stop), daemon=True)
        worker.start()
        self._decided = np.load(self._notes / "decided.npy", mmap_mode="r")
        self._cpu_s = np.load(self._notes / "cpu.npy", mmap_mode="r")
        try:
            self._allocate(0, strategies, [])
            yield
        finally:
            stop.set()
            worker.join(PATIENCE_S)
            worker.kill()
            self._bus.close()

    def _allocate(self, seq: int, joining: int, leaving: list[str]) -> None:
        added = [self._unused.pop() for _ in range(min(joining, len(self._unused)))]
        self._active = [s for s in self._active if s not in leaving] + [genome.spec_id for genome in added]
        message = AllocationMessage(
            seq=seq,
            added=added,
            removed=leaving,
            allocations_usd=dict.fromkeys(self._active[:ALLOCATED], ALLOCATED_USD),
            modes=dict.fromkeys(self._active[:ALLOCATED], "paper"),
        )
        self._allocations += 1
        self._bus.publish([(message.stream, self._allocations, seq, encode(message))])

    def left(self) -> int:
        """How many events are not published yet."""
        return len(self._market.messages) - self._sent

    def send(self, count: int) -> None:
        """Publish the next events at once, and behind them what was decided on the way."""
        first = self._sent
        part = self._market.messages[first : first + count]
        self._published_ns[first + 1 : first + len(part) + 1] = time.monotonic_ns()
        self._bus.publish(part)
        self._sent += len(part)
        if any(first < seq <= self._sent for seq in self._market.decisions):
            self._allocate(self._sent, REPLACED, self._active[ALLOCATED : ALLOCATED + REPLACED])

    def wait(self) -> float:
        """Wait until the last published event is decided; return how long that took, in s.

        Raises:
            MemeSnipeError: it takes too long.
        """
        began = time.monotonic()
        while self._decided[self._sent] == 0:
            if time.monotonic() - began > PATIENCE_S:
                raise MemeSnipeError(f"the executor has not decided about event {self._sent} in {PATIENCE_S:.0f} s")
            time.sleep(0.001)
        return time.monotonic() - began

    def measure(self, rate: float, seconds: float, tick_s: float) -> dict[str, Any]:
        """Publish at a rate for a time, a tick's events at once, and say how long decisions took."""
        first, cpu_before, began = self._sent + 1, float(self._cpu_s[0]), time.monotonic()
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
        late = self._decided[sent] - self._published_ns[sent]
        p50, p99 = np.percentile(late, [50, 99]) / 1e6
        return {
            "events_per_s": round(offered / offered_in, 1),
            "p50_ms": round(float(p50), 2),
            "p99_ms": round(float(p99), 2),
            "max_ms": round(float(late.max()) / 1e6, 2),
            "decisions": sum(first <= seq <= self._sent for seq in self._market.decisions),
            "behind_at_end_s": round(behind, 3),
            "cpu_share": round((float(self._cpu_s[0]) - cpu_before) / taken, 3),
        }
