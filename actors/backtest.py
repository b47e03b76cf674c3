"""The Ray tasks: chunks of genomes over one copy of the tape in the object store, repeated when a node is lost."""

import time
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import ray
from ray.autoscaler.sdk import request_resources

from actors.stored_window import TASK_OPTIONS, Stored
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.kept_votes import KeptVotes
from memesnipe.errors import MemeSnipeError, first_line
from memesnipe.evolution.chunks import chunks_of
from memesnipe.evolution.evaluation import (
    Evaluation,
    Part,
    Record,
    Segment,
    evaluations_of,
    join_parts,
    run_part,
    run_segment,
)
from memesnipe.evolution.spans import cut
from memesnipe.market.events import Events
from memesnipe.sdk.registry import Families, discover
from memesnipe.stats.splits import Span

CHUNK_S: Final = 1.0  # work in a chunk, at most: cheap to repeat
LEAST_S: Final = 0.03  # work of a worker in the last chunks: more than the overhead of a task
MIN_CHUNK: Final = 16  # genomes that share one pass over the market, which costs as much as several of them
MIN_LAST_CHUNK: Final = 150  # of a worker in the last chunks, which are small so that all workers end together
ADDED_EVENTS: Final = 2_000  # events whose backtest takes as long as to add a genome to an engine
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

    results: Any
    seconds: float
    genes: int  # whose votes the chunk needed
    genes_kept: int  # those whose votes the worker had from earlier chunks


@ray.remote(**TASK_OPTIONS)
def _run_chunk(segment: Segment, genomes: list[Genome], conditions: Conditions) -> _Done:
    return _measured(run_part, segment, genomes, conditions)


@ray.remote(**TASK_OPTIONS)
def _record_chunk(segment: Segment, genomes: list[Genome], conditions: Conditions) -> _Done:
    return _measured(run_segment, segment, genomes, conditions)


def _measured(run: Callable[..., Any], segment: Segment, genomes: list[Genome], conditions: Conditions) -> _Done:
    families = _families(conditions.folders)
    kept, start = _kept(), time.perf_counter()
    asked, found = kept.asked, kept.found
    results = run(segment, genomes, families, conditions.model, conditions.capital_usd, kept)
    return _Done(results, time.perf_counter() - start, kept.asked - asked, kept.found - found)


@dataclass(slots=True)
class _Chunk:
    """Genomes of one task in flight."""

    number: int  # from 1, in the order of submission
    segment: int  # index
    start: int
    genomes: list[Genome]
    work: int  # genomes times events
    deadline: float  # monotonic seconds after which it is sent again
    attempts: int = 1

    @property
    def place(self) -> tuple[int, int]:
        """The segment and the first genome, of which every copy of a chunk has the same."""
        return self.segment, self.start


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
    _event_s: float = field(default=0.0, init=False)  # time of one genome, divided by the events of the segment
    _requested_cpus: int = field(default=0, init=False)
    _cpus: int = field(default=0, init=False)  # of the cluster, when they were last counted
    _counted_at: float = field(default=-_POLL_S, init=False)  # monotonic seconds

    def store(self, spans: Sequence[Span], slices: Iterable[Events]) -> list[Segment]:
        """Put the events of each span into the object store, of which each node has one copy for all its workers."""
        stored: list[list[Any]] = [[] for _ in spans]
        counts = [0] * len(spans)
        for events in slices:
            for index, span in enumerate(spans):
                part = cut(events, span)
                if len(part):
                    stored[index].append(ray.put(part))
                    counts[index] += len(part)
        parts = [Stored(tuple(references)) for references in stored]
        return [Segment(span, part, part.key, n) for span, part, n in zip(spans, parts, counts, strict=True)]

    def evaluate(
        self, train: Segment, validation: Segment, genomes: list[Genome], on_done: OnDone, title: str = "genomes"
    ) -> list[Evaluation]:
        """Return one evaluation per genome, in their order; independent of chunks, workers and losses.

        Args:
            train: the segment to train on.
            validation: the segment to validate on.
            genomes: to evaluate.
            on_done: called with the number of genomes that have all their results since the last call.
            title: of this work in Ray's dashboard, as in `backtest TITLE, chunk 3`.

        Raises:
            MemeSnipeError: a chunk was lost too often, or failed.
        """
        done: list[list[Part]] = self._run(_run_chunk, (train, validation), genomes, on_done, title)
        return evaluations_of(genomes, *map(join_parts, done)) if genomes else []

    def record(self, segment: Segment, genomes: list[Genome], on_done: OnDone, title: str = "genomes") -> list[Record]:
        """Return the record of each genome in one segment, with its returns; arguments as for `evaluate`."""
        (done,) = self._run(_record_chunk, (segment,), genomes, on_done, title)
        return [record for records in done for record in records]

    def _run(
        self, task: Any, segments: Sequence[Segment], genomes: list[Genome], on_done: OnDone, title: str
    ) -> list[list[Any]]:
        """Return the results of the chunks of each segment, in order of the genomes."""
        stored, conditions = [ray.put(segment) for segment in segments], ray.put(self.conditions)

        def send(chunk: _Chunk) -> Any:
            named_task = task.options(name=f"backtest {title}, chunk {chunk.number}")
            return named_task.remote(stored[chunk.segment], chunk.genomes, conditions)

        try:
            events = [segment.events + ADDED_EVENTS for segment in segments]
            return self._collect(send, events, genomes, on_done)
        finally:
            self._release_workers()

    def _request_workers(self, left: Sequence[int], events: Sequence[int]) -> None:
        """Request enough CPUs from the autoscaler for the remaining genomes to finish within `generation_s`."""
        seconds = self._event_s * sum(count * n for count, n in zip(left, events, strict=True))
        needed = min(int(seconds / self.generation_s), -(-sum(left) // MIN_CHUNK), self.max_cpus)
        if not self._requested_cpus and needed > self._count_cpus():
            request_resources(num_cpus=needed)
            self._requested_cpus = needed

    def _release_workers(self) -> None:
        """Withdraw the request, which remains in effect until replaced, so that idle nodes may be removed."""
        if self._requested_cpus:
            request_resources(num_cpus=0)
            self._requested_cpus = 0

    def _collect(
        self, send: Callable[[_Chunk], Any], events: Sequence[int], genomes: list[Genome], on_done: OnDone
    ) -> list[list[Any]]:
        """Keep a window of chunks in flight until every genome has its result in each segment."""
        # Chunks in flight when this ends, by an interrupt or as slower copies, are left to finish: they are short, and
        # a cancellation that meets the end of its task aborts this process (Ray 2.60, task_manager.cc, "it != sub...").
        results: dict[tuple[int, int], Any] = {}
        pending: dict[Any, _Chunk] = {}
        sent, done = [0] * len(events), np.zeros((len(events), len(genomes)), np.bool_)
        chunks = planned_cpus = 0
        planned: list[tuple[int, int]] = []  # segment and size of the next chunks
        while not done.all():
            cpus = max(self._count_cpus(), 1)
            while min(sent) < len(genomes) and len(pending) < CHUNKS_PER_CPU * cpus:
                if not planned or cpus != planned_cpus:
                    planned, planned_cpus = self._plan([len(genomes) - count for count in sent], events, cpus), cpus
                segment, size = planned.pop(0)
                chunks += 1
                start, sent[segment] = sent[segment], sent[segment] + size
                part, work = genomes[start : start + size], size * events[segment]
                chunk = _Chunk(chunks, segment, start, part, work, self._deadline(work, 1))
                pending[send(chunk)] = chunk
            self._request_workers(np.count_nonzero(~done, axis=1).tolist(), events)
            for reference in ray.wait(list(pending), num_returns=1, timeout=_POLL_S)[0]:
                chunk = pending.pop(reference)
                if chunk.place in results:
                    continue  # another copy of the chunk was faster
                found = self._results_of(reference, chunk)
                if found is None:
                    pending[send(chunk)] = chunk
                    continue
                results[chunk.place] = found
                has_result = done[:, chunk.start : chunk.start + len(chunk.genomes)]
                has_result[chunk.segment] = True
                if complete := int(np.count_nonzero(has_result.all(axis=0))):
                    on_done(complete)
            for chunk in self._overdue(pending.values(), results):
                pending[send(chunk)] = chunk
        return [[results[place] for place in sorted(results) if place[0] == index] for index in range(len(events))]

    def _plan(self, left: Sequence[int], events: Sequence[int], cpus: int) -> list[tuple[int, int]]:
        """Return the next chunks; small ones until the time of a genome is known."""
        if not self._event_s:
            return [(index, min(PROBE_CHUNK, count)) for index, count in enumerate(left) if count]
        costs = [count * self._event_s for count in events]
        least = max(int(LEAST_S / max(costs)), MIN_LAST_CHUNK)
        return chunks_of(left, costs, cpus, least, [max(int(self.chunk_s / cost), MIN_CHUNK) for cost in costs])

    def _results_of(self, reference: Any, chunk: _Chunk) -> Any | None:
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
        self._event_s = done.seconds / chunk.work
        return done.results

    def _reschedule(self, chunk: _Chunk, reason: str) -> None:
        chunk.attempts += 1
        if chunk.attempts > _MAX_ATTEMPTS:
            raise MemeSnipeError(f"a chunk of {len(chunk.genomes)} backtests was lost {_MAX_ATTEMPTS} times: {reason}")
        chunk.deadline = self._deadline(chunk.work, chunk.attempts)

    def _overdue(self, pending: Iterable[_Chunk], results: Container[tuple[int, int]]) -> list[_Chunk]:
        """Return the chunks past their deadline: their node may be lost without an error.

        Raises:
            MemeSnipeError: a chunk was lost too often.
        """
        if not self._count_cpus():
            return []  # chunks wait for the first node
        now = time.monotonic()
        overdue = {chunk.place: chunk for chunk in pending if now > chunk.deadline and chunk.place not in results}
        for chunk in overdue.values():
            self._reschedule(chunk, f"no worker has responded for at least {self.deadline_s:.0f} s")
        return list(overdue.values())

    def _deadline(self, work: int, attempts: int) -> float:
        expected_s = CHUNKS_PER_CPU * work * self._event_s
        return time.monotonic() + max(self.deadline_s, _SLOWER_THAN_EXPECTED * expected_s) * 2.0 ** (attempts - 1)

    def _count_cpus(self) -> int:
        """Return the CPUs of the cluster; they are counted twice a second, which takes a millisecond."""
        now = time.monotonic()
        if now - self._counted_at >= _POLL_S:
            self._cpus = int(ray.cluster_resources().get("CPU", 0))  # type: ignore[no-untyped-call]
            self._counted_at = now
        return self._cpus
