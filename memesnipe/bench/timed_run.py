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
from numpy.typing import NDArray

from memesnipe.bench.decision_maker import FIRST_SEQ, run_decisions
from memesnipe.bus.merge import Entry
from memesnipe.bus.redis_bus import Bus
from memesnipe.config.home import installation_of
from memesnipe.config.settings import Settings
from memesnipe.engine.genome import Genome
from memesnipe.errors import MemeSnipeError
from memesnipe.feeds.choice import FeedChoice
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import CommandMessage, StrategySpec
from memesnipe.protocol.payload import Payload, encode
from memesnipe.protocol.streams import ALLOCATIONS, EVENT_STREAMS
from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.storage.database import connect
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.runs import begin_run, read_stream_key
from memesnipe.telemetry.metrics import ActorMetrics

ALLOCATED: Final = 20  # strategies that are promoted, so that their decisions go through the desk
REPLACED: Final = 8  # strategies that are proposed for each decision of the portfolio
PATIENCE_S: Final = 240.0
_SEED: Final = 24
_PART: Final = 1_000  # messages that are published at once
_COUNTERS: Final = np.dtype(
    [("cpu_s", "f8"), ("decisions", "i8"), ("decided_seq", "i8"), ("on_the_desk", "i8"), ("snapshots", "i8")]
)


@dataclass(frozen=True, slots=True)
class Market:
    """Events as they are published."""

    messages: list[tuple[str, int, int, bytes]]
    decisions: list[int]  # the events after which a decision is due
    tokens: int
    warm: int  # events before the measurement, with a decision among them


class _TimedExecutor(Executor):
    """The executor itself, which also notes when it has decided about each event, and what it has done."""

    def note_to(self, decided_ns: Any, counters: Any) -> None:
        """Set the arrays to note to: time of the decision by event, shape (events + 1,), and counters, shape (1,)."""
        self._decided_ns, self._counters = decided_ns, counters[0]

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        super().handle(entries, work)
        events = [entry.number for entry in entries if entry.stream in EVENT_STREAMS]
        if events:
            self._counters["cpu_s"] = time.process_time()
            self._decided_ns[events[0] : events[-1] + 1] = time.monotonic_ns()
        for entry in entries:
            if entry.stream == ALLOCATIONS:
                self._counters["decisions"] += 1
                self._counters["decided_seq"] = entry.seq
                self._counters["on_the_desk"] = sum(usd > 0.0 for usd in entry.payload.allocations_usd.values())

    def step(self) -> None:
        super().step()
        self._counters["snapshots"] = self._snapshots.completed


def _run(home: Path, run_id: int, snapshot_every_s: float, notes: Path, stop: Flag) -> None:
    """Run one executor until ``stop`` is set."""
    executor = _TimedExecutor(Context(home, run_id, snapshot_every_s=snapshot_every_s), ActorMetrics("bench"))
    executor.note_to(np.load(notes / "decided.npy", mmap_mode="r+"), np.load(notes / "counters.npy", mmap_mode="r+"))
    executor.open()
    while not stop.is_set():
        executor.step()
    executor.close()


class TimedRun:
    """An executor and a portfolio on a new run, in processes of their own, and the market that is published to them.

    Like the search, it proposes strategies before each decision, so the portfolio replaces some at each.
    """

    def __init__(
        self, home: Path, settings: Settings, market: Market, genomes: list[Genome], snapshot_every_s: float
    ) -> None:
        assert settings.servers.redis_url is not None  # noqa: S101 - the benchmark has started it
        assert settings.servers.database_url is not None  # noqa: S101
        self._home, self._market, self._snapshot_every_s = home, market, snapshot_every_s
        self._unused = genomes[::-1]
        database = connect(settings.servers.database_url.get_secret_value())
        choice = FeedChoice("synthetic", 1.0, "", _SEED)
        self._run_id = begin_run(database, f"bench {time.monotonic_ns()}", choice.to_dict(), {}).run_id
        stream_key = read_stream_key(database, self._run_id)
        database.dispose()
        self._bus = Bus(settings.servers.redis_url.get_secret_value())
        self._bus.take_over(installation_of(home), self._run_id)
        self._bus.begin(installation_of(home), self._run_id, "bench", stream_key)
        self._notes = Path(tempfile.mkdtemp(dir=home))
        self._due_ns = np.zeros(len(market.messages) + 1, np.int64)  # when each event arrives by the schedule
        np.save(self._notes / "decided.npy", self._due_ns)
        np.save(self._notes / "counters.npy", np.zeros(1, _COUNTERS))
        self._decided: NDArray[np.int64] = np.load(self._notes / "decided.npy", mmap_mode="r")
        self._counters: NDArray[Any] = np.load(self._notes / "counters.npy", mmap_mode="r")
        self._proposed = 0
        self._sent = 0

    @contextmanager
    def working(self, strategies: int) -> Iterator[None]:
        """Start executor and portfolio, let so many strategies join, and pass the first events to them."""
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload([__name__])  # loading it takes longer than a short measurement
        stop = server.Event()
        first = self._propose(strategies, range(FIRST_SEQ))
        promoted = [
            CommandMessage(seq=FIRST_SEQ + 1, command_id=i, name=CommandName.PROMOTE, spec_id=s, reason="benchmark")
            for i, s in enumerate(first[:ALLOCATED], start=1)
        ]
        self._publish([(message, message.command_id) for message in promoted])
        workers = [
            server.Process(
                target=_run, args=(self._home, self._run_id, self._snapshot_every_s, self._notes, stop), daemon=True
            ),
            server.Process(target=run_decisions, args=(self._home, self._run_id, stop), daemon=True),
        ]
        for worker in workers:
            worker.start()
        try:
            # The strategies join after event FIRST_SEQ, and those promoted have capital from the first decision on.
            self._wait_until(lambda: self._bus.last_number(ALLOCATIONS) > 0, "the strategies have not joined")
            self._send(FIRST_SEQ)
            self._wait_until(lambda: self._counters["decisions"][0] > 0, "the strategies have not joined")
            self._send(self._market.warm - FIRST_SEQ)
            self._wait_until(lambda: self._counters["on_the_desk"][0] > 0, "no strategy trades on the desk")
            self._wait()
            self._wait_for_decision()
            yield
        finally:
            stop.set()
            for worker in workers:
                worker.join(PATIENCE_S)
                worker.kill()
            self._bus.close()

    def _propose(self, count: int, seqs: range) -> list[str]:
        """Propose strategies at these events, as many at each; return their spec ids."""
        genomes = [self._unused.pop() for _ in range(min(count, len(self._unused)))]
        specs = []
        for i, genome in enumerate(genomes):
            self._proposed += 1
            spec = StrategySpec(
                seq=seqs[i * len(seqs) // len(genomes)],
                spec_id=genome.spec_id,
                generation=0,
                index=i,
                of=len(genomes),
                evaluations=self._proposed,
                fitness=0.0,
                train_sharpe=0.0,
                validation_sharpe=0.0,
                genome=genome,
            )
            specs.append((spec, self._proposed))
        self._publish(specs)
        return [genome.spec_id for genome in genomes]

    def _publish(self, messages: list[tuple[Any, int]]) -> None:
        """Publish messages with their numbers."""
        for start in range(0, len(messages), _PART):
            part: list[tuple[Payload, int]] = messages[start : start + _PART]
            self._bus.publish([(message.stream, number, message.seq, encode(message)) for message, number in part])

    def left(self) -> int:
        """How many events are not published yet."""
        return len(self._market.messages) - self._sent

    def _send(self, count: int) -> None:
        """Publish the next events at once, and what is proposed before a decision that is due among them."""
        first = self._sent
        part = self._market.messages[first : first + count]
        if any(first < seq <= first + len(part) for seq in self._market.decisions):
            self._propose(REPLACED, range(first, first + 1))
        self._bus.publish(part)
        self._sent += len(part)

    def _wait(self) -> float:
        """Wait until the last published event is decided; return how long that took, in s."""
        began = time.monotonic()
        self._wait_until(lambda: self._decided[self._sent] != 0, f"event {self._sent} is not decided")
        return time.monotonic() - began

    def _wait_for_decision(self) -> None:
        """Wait until the executor has applied the last decision that was due, so that it counts where it was due."""
        due = max(seq for seq in self._market.decisions if seq <= self._sent)
        self._wait_until(lambda: self._counters["decided_seq"][0] >= due, f"the decision of event {due} is missing")

    def _wait_until(self, is_done: Any, failure: str) -> None:
        """Wait.

        Raises:
            MemeSnipeError: it takes too long.
        """
        began = time.monotonic()
        while not is_done():
            if time.monotonic() - began > PATIENCE_S:
                raise MemeSnipeError(f"{failure} after {PATIENCE_S:.0f} s")
            time.sleep(0.001)

    def measure(self, rate: float, seconds: float, tick_s: float) -> dict[str, Any]:
        """Publish at a rate for a time, and say how long after their scheduled arrival events were decided.

        The schedule depends on nothing else (an open loop): an event that is published late has waited since then.
        """
        first, before, began_ns = self._sent + 1, self._counters[0].copy(), time.monotonic_ns()
        count = min(int(rate * seconds), self.left())
        self._due_ns[first : first + count] = began_ns + (np.arange(count) * (1e9 / rate)).astype(np.int64)
        while (sent := self._sent + 1 - first) < count:
            due = min(int((time.monotonic_ns() - began_ns) / 1e9 * rate) + 1, count) - sent
            if due > 0:
                self._send(due)
            time.sleep(tick_s)
        offered_in = (time.monotonic_ns() - began_ns) / 1e9
        behind = self._wait()
        taken = (time.monotonic_ns() - began_ns) / 1e9
        cpu_s = float(self._counters["cpu_s"][0] - before["cpu_s"])
        self._wait_for_decision()
        events = slice(first, self._sent + 1)
        late = self._decided[events] - self._due_ns[events]
        p50, p99, p999 = np.percentile(late, [50, 99, 99.9]) / 1e6
        after = self._counters[0]
        return {
            "events_per_s": round(count / offered_in, 1),
            "p50_ms": round(float(p50), 2),
            "p99_ms": round(float(p99), 2),
            "p999_ms": round(float(p999), 2),
            "max_ms": round(float(late.max()) / 1e6, 2),
            "decisions": int(after["decisions"] - before["decisions"]),
            "snapshots": int(after["snapshots"] - before["snapshots"]),
            "on_the_desk": int(after["on_the_desk"]),
            "behind_at_end_s": round(behind, 3),
            "cpu_share": round(cpu_s / taken, 3),
        }
