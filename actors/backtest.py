"""The Ray tasks: chunks of genomes over one copy of the tape in the object store, repeated when a node is lost."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import ray
from ray.autoscaler.sdk import request_resources

from actors.stored_window import TASK_OPTIONS, Stored
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.kept_votes import KeptVotes
from memesnipe.errors import MemeSnipeError, first_line
from memesnipe.evolution.chunks import chunk_sizes
from memesnipe.evolution.evaluation import Evaluation, Record, Segment, evaluate, run_segment
from memesnipe.evolution.spans import cut
from memesnipe.market.events import Events
from memesnipe.sdk.registry import Families, discover
from memesnipe.stats.splits import Span

CHUNK_S: Final = 0.25  # work in a chunk: much more than the overhead of a task, and cheap to repeat
LEAST_S: Final = 0.03  # work in the last chunks: more than the overhead of a task
MIN_CHUNK: Final = 16  # genomes that share one pass over the market, which costs as much as several of them
MIN_LAST_CHUNK: Final = 10  # in the last chunks, which are small so that all workers end together
PROBE_CHUNK: Final = 4  # genomes in a chunk until the time per genome is known
CHUNKS_PER_CPU: Final = 2  # in flight: one running, one queued
GENERATION_S: Final = 60.0  # more workers are requested where a generation would take longer
MAX_CPUS: Final = 512  # requested at most
DEADLINE_S: Final = 60.0  # until a chunk without a result is submitted again; doubles with every attempt
_SLOWER_THAN_EXPECTED: Final = 20
_MAX_ATTEMPTS: Final = 6
_POLL_S: Final = 0.5
# Of votes that a worker keeps, an eighth of a small machine's 2 GB a core. A gene has 250 KB of them on a million
# events, so a thousand genes of such a tape fit, and more of the smaller samples of a race.
_KEPT_BYTES: Final = 256 * 2**20

OnDone = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of every backtest, and the folders from which each worker loads the user's own strategies."""

    model: FillModel
    capital_usd: float
    folders: tuple[Path, ...] = ()


@lru_cache(maxsize=1)
def _families(folders: tuple[Path, ...]) -> Families:
    return discover(*folders)


@lru_cache(maxsize=1)
def _kept() -> KeptVotes:
    """Return the votes that this worker process keeps; Ray would copy a variable of the module with each task."""
    return KeptVotes(_KEPT_BYTES)


class _Done(NamedTuple):
    """The results of a chunk, and what they cost its worker."""

    results: list[Any]
    seconds: float
    genes: int  # whose votes the chunk needed, for each segment
    genes_kept: int  # those whose votes the worker had from earlier chunks


@ray.remote(**TASK_OPTIONS)
def _evaluate_chunk(segments: tuple[Segment, Segment], genomes: list[Genome], conditions: Conditions) -> _Done:
    families = _families(conditions.folders)
    model, capital_usd = conditions.model, conditions.capital_usd
    return _measured(lambda kept: evaluate(*segments, genomes, families, model, capital_usd, kept))


@ray.remote(**TASK_OPTIONS)
def _record_chunk(segments: tuple[Segment], genomes: list[Genome], conditions: Conditions) -> _Done:
    families = _families(conditions.folders)
    model, capital_usd = conditions.model, conditions.capital_usd
    return _measured(lambda kept: run_segment(*segments, genomes, families, model, capital_usd, kept))


def _measured(work: Callable[[KeptVotes], list[Any]]) -> _Done:
    kept, start = _kept(), time.perf_counter()
    asked, found = kept.asked, kept.found
    results = work(kept)
    return _Done(results, time.perf_counter() - start, kept.asked - asked, kept.found - found)


@dataclass(slots=True)
class _Chunk:
    """Genomes of one task in flight."""

    number: int  # from 1, in the order of submission
    start: int
    genomes: list[Genome]
    deadline: float  # monotonic seconds after which it is sent again
    attempts: int = 1


@dataclass(slots=True)
class Backtests:
    """Runs backtests on the connected cluster, and sizes chunks by the measured time per genome."""

    conditions: Conditions
    chunk_s: float = CHUNK_S
    deadline_s: float = DEADLINE_S
    generation_s: float = GENERATION_S
    max_cpus: int = MAX_CPUS
    busy_s: float = 0.0  # seconds that workers have spent on chunks
    genes: int = 0  # whose votes chunks needed, for each segment
    genes_kept: int = 0  # those whose votes a worker had from earlier chunks
    _genome_s: float = field(default=0.0, init=False)
    _events: int = field(default=1, init=False)  # that `_genome_s` is the time of
    _requested_cpus: int = field(default=0, init=False)
    _cpus: int = field(default=0, init=False)  # of the cluster, when they were last counted
    _counted_at: float = field(default=-_POLL_S, init=False)  # monotonic seconds

    def store(self, spans: Sequence[Span], slices: Iterable[Events]) -> list[Segment]:
        """Put the events of each span into the object store, of which each node has one copy for all its workers."""
        stored: list[list[Any]] = [[] for _ in spans]
        for events in slices:
            for references, span in zip(stored, spans, strict=True):
                part = cut(events, span)
                if len(part):
                    references.append(ray.put(part))
        parts = [Stored(tuple(references)) for references in stored]
        return [Segment(span, part, part.key) for span, part in zip(spans, parts, strict=True)]

    def evaluate(
        self,
        train: Segment,
        validation: Segment,
        genomes: list[Genome],
        on_done: OnDone,
        title: str = "genomes",
        *,
        events: int = 1,
    ) -> list[Evaluation]:
        """Return one evaluation per genome, in their order; independent of chunks, workers and losses.

        Args:
            train: the segment to train on.
            validation: the segment to validate on.
            genomes: to evaluate.
            on_done: called with the number of genomes in each finished chunk.
            title: of this work in Ray's dashboard, as in `backtest TITLE, chunk 3`.
            events: in the segments, where calls have segments of different lengths.

        Raises:
            MemeSnipeError: a chunk was lost too often, or failed.
        """
        self._genome_s *= events / self._events
        self._events = events
        done: list[Evaluation] = self._run(_evaluate_chunk, (train, validation), genomes, on_done, title)
        return done

    def record(self, segment: Segment, genomes: list[Genome], on_done: OnDone, title: str = "genomes") -> list[Record]:
        """Return the record of each genome in one segment, with its returns; arguments as for `evaluate`."""
        done: list[Record] = self._run(_record_chunk, (segment,), genomes, on_done, title)
        return done

    def _run(
        self, task: Any, segments: tuple[Segment, ...], genomes: list[Genome], on_done: OnDone, title: str
    ) -> list[Any]:
        shared, conditions = ray.put(segments), ray.put(self.conditions)

        def send(chunk: _Chunk) -> Any:
            named_task = task.options(name=f"backtest {title}, chunk {chunk.number}")
            return named_task.remote(shared, chunk.genomes, conditions)

        try:
            return self._collect(send, genomes, on_done)
        finally:
            self._release_workers()

    def _request_workers(self, genomes: int) -> None:
        """Request enough CPUs from the autoscaler for the remaining genomes to finish within `generation_s`."""
        needed = min(int(genomes * self._genome_s / self.generation_s), -(-genomes // MIN_CHUNK), self.max_cpus)
        if not self._requested_cpus and needed > self._count_cpus():
            request_resources(num_cpus=needed)
            self._requested_cpus = needed

    def _release_workers(self) -> None:
        """Withdraw the request, which remains in effect until replaced, so that idle nodes may be removed."""
        if self._requested_cpus:
            request_resources(num_cpus=0)
            self._requested_cpus = 0

    def _collect(self, send: Callable[[_Chunk], Any], genomes: list[Genome], on_done: OnDone) -> list[Any]:
        """Keep a window of chunks in flight until every genome has its result; return the results in order."""
        # Chunks in flight when this ends, by an interrupt or as slower copies, are left to finish: they are short, and
        # a cancellation that meets the end of its task aborts this process (Ray 2.60, task_manager.cc, "it != sub...").
        results: dict[int, list[Any]] = {}
        pending: dict[Any, _Chunk] = {}
        sent = finished = chunks = planned_cpus = 0
        sizes: list[int] = []  # of the next chunks
        while finished < len(genomes):
            cpus = max(self._count_cpus(), 1)
            while sent < len(genomes) and len(pending) < CHUNKS_PER_CPU * cpus:
                if not sizes or cpus != planned_cpus:
                    sizes, planned_cpus = self._sizes(len(genomes) - sent, cpus), cpus
                size = sizes.pop(0)
                chunks += 1
                chunk = _Chunk(chunks, sent, genomes[sent : sent + size], self._deadline(size, 1))
                pending[send(chunk)] = chunk
                sent += len(chunk.genomes)
            self._request_workers(len(genomes) - finished)
            for reference in ray.wait(list(pending), num_returns=1, timeout=_POLL_S)[0]:
                chunk = pending.pop(reference)
                if chunk.start in results:
                    continue  # another copy of the chunk was faster
                done = self._results_of(reference, chunk)
                if done is None:
                    pending[send(chunk)] = chunk
                    continue
                results[chunk.start] = done
                finished += len(done)
                on_done(len(done))
            for chunk in self._overdue(pending.values(), results):
                pending[send(chunk)] = chunk
        return [result for start in sorted(results) for result in results[start]]

    def _sizes(self, remaining: int, cpus: int) -> list[int]:
        """Return the number of genomes in the next chunks; of one alone until the time of a genome is known."""
        if not self._genome_s:
            return [min(PROBE_CHUNK, remaining)]
        least = max(int(LEAST_S / self._genome_s), MIN_LAST_CHUNK)
        return chunk_sizes(remaining, cpus, least, max(int(self.chunk_s / self._genome_s), MIN_CHUNK))

    def _results_of(self, reference: Any, chunk: _Chunk) -> list[Any] | None:
        """Return the results of a chunk; None where it was lost and must be submitted again.

        Raises:
            MemeSnipeError: the backtest failed, or the chunk was lost too often.
        """
        try:
            done = ray.get(reference)
        except ray.exceptions.RayTaskError as error:  # it would fail on any worker
            raise MemeSnipeError(f"a backtest failed on a worker: {first_line(error.cause)}") from error
        except ray.exceptions.RayError as error:
            self._reschedule(chunk, first_line(error))
            return None
        self.busy_s += done.seconds
        self.genes += done.genes
        self.genes_kept += done.genes_kept
        self._genome_s = done.seconds / len(done.results)
        return list(done.results)

    def _reschedule(self, chunk: _Chunk, reason: str) -> None:
        chunk.attempts += 1
        if chunk.attempts > _MAX_ATTEMPTS:
            raise MemeSnipeError(f"a chunk of {len(chunk.genomes)} backtests was lost {_MAX_ATTEMPTS} times: {reason}")
        chunk.deadline = self._deadline(len(chunk.genomes), chunk.attempts)

    def _overdue(self, pending: Iterable[_Chunk], results: dict[int, list[Any]]) -> list[_Chunk]:
        """Return the chunks past their deadline: their node may be lost without an error.

        Raises:
            MemeSnipeError: a chunk was lost too often.
        """
        if not self._count_cpus():
            return []  # chunks wait for the first node
        now = time.monotonic()
        overdue = {chunk.start: chunk for chunk in pending if now > chunk.deadline and chunk.start not in results}
        for chunk in overdue.values():
            self._reschedule(chunk, f"no worker has responded for at least {self.deadline_s:.0f} s")
        return list(overdue.values())

    def _deadline(self, genomes: int, attempts: int) -> float:
        expected_s = CHUNKS_PER_CPU * genomes * self._genome_s
        return time.monotonic() + max(self.deadline_s, _SLOWER_THAN_EXPECTED * expected_s) * 2.0 ** (attempts - 1)

    def _count_cpus(self) -> int:
        """Return the CPUs of the cluster; they are counted twice a second, which takes a millisecond."""
        now = time.monotonic()
        if now - self._counted_at >= _POLL_S:
            self._cpus = int(ray.cluster_resources().get("CPU", 0))  # type: ignore[no-untyped-call]
            self._counted_at = now
        return self._cpus
