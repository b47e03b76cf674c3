"""Backtests on a separate Ray cluster: results do not depend on chunks or silent workers."""

import contextlib
import gc
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import ray

from actors.backtest import Backtests, Conditions
from actors.connection import connect_ray, disconnect_ray
from actors.stored_window import StoredWindow
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome, SignalGene
from memesnipe.errors import MemeSnipeError
from memesnipe.evolution.evaluation import Evaluation, Segment, evaluate, run_segment
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.samples import Sampler
from memesnipe.evolution.spans import cut, search_spans, slices_of, span_of, window_spans
from memesnipe.roles.training_window import TrainingWindow
from memesnipe.sdk.registry import discover
from memesnipe.stats.splits import Span
from memesnipe.storage.event_log import EventLog
from tests.support import synthetic_events
from tests.system.installation import wait_for

pytestmark = pytest.mark.timeout(300)

EVENTS = synthetic_events(20_000)
SPANS = search_spans(span_of(EVENTS))
GENOMES = random_genomes(np.random.default_rng(3), discover(), 60)
CONDITIONS = Conditions(FillModel(), 1000.0)


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    connect_ray(None, tmp_path_factory.mktemp("home"), "test-backtest", cpus=2)
    yield
    disconnect_ray()


@pytest.fixture(scope="module")
def expected() -> list[Evaluation]:
    train, validation = (Segment(span, (cut(EVENTS, span),)) for span in (SPANS.train, SPANS.validation))
    return evaluate(train, validation, GENOMES, discover(), CONDITIONS.model, CONDITIONS.capital_usd)


def _on_ray(backtests: Backtests, genomes: list[Genome] = GENOMES, slice_events: int = 50_000) -> list[Evaluation]:
    slices = slices_of(EVENTS, slice_events)
    train, validation, _ = backtests.store((SPANS.train, SPANS.validation, SPANS.holdout), slices)
    done: list[int] = []
    found = backtests.evaluate(train, validation, genomes, done.append)
    assert sum(done) == len(genomes)
    return found


def _same(found: list[Evaluation], expected: list[Evaluation]) -> bool:
    facts = [(e.spec_id, e.train, e.validation, e.fitness, e.moments.tobytes(), e.error) for e in found]
    return facts == [(e.spec_id, e.train, e.validation, e.fitness, e.moments.tobytes(), e.error) for e in expected]


@pytest.mark.parametrize(("chunk_s", "slice_events"), [(1e-9, 50_000), (0.05, 777), (100.0, 5_000)])
def test_results_do_not_depend_on_chunks_of_genomes_or_time(
    chunk_s: float, slice_events: int, expected: list[Evaluation]
) -> None:
    backtests = Backtests(CONDITIONS, chunk_s=chunk_s)
    assert _same(_on_ray(backtests, slice_events=slice_events), expected)
    assert _same(_on_ray(backtests, slice_events=slice_events), expected), "with measured chunk sizes"
    assert backtests.busy_s > 0.0


def test_workers_keep_the_votes_of_genes(expected: list[Evaluation]) -> None:
    backtests = Backtests(CONDITIONS, chunk_s=0.05)
    train, validation, _ = backtests.store((SPANS.train, SPANS.validation, SPANS.holdout), [EVENTS])
    for _ in range(3):  # on two workers some genomes run twice on the same one
        assert _same(backtests.evaluate(train, validation, GENOMES, lambda _: None), expected)
    assert backtests.genes >= 3 * 2 * len({(s.family, *s.params.values()) for g in GENOMES for s in g.signals})
    assert 0 < backtests.genes_kept < backtests.genes


def test_records_include_the_returns() -> None:
    backtests = Backtests(CONDITIONS)
    (holdout,) = backtests.store([SPANS.holdout], [EVENTS])
    found = backtests.record(holdout, GENOMES, lambda _: None)
    here = run_segment(
        Segment(SPANS.holdout, (cut(EVENTS, SPANS.holdout),)), GENOMES, discover(), CONDITIONS.model, 1000.0
    )
    assert [r.result for r in found] == [r.result for r in here]
    assert all(np.array_equal(a.returns, b.returns) for a, b in zip(found, here, strict=True))


def test_a_genome_that_cannot_be_run_is_a_result(expected: list[Evaluation]) -> None:
    broken = Genome((SignalGene("nowhere", {}, 1.0),), 0.5, 0.1, GENOMES[0].exits, GENOMES[0].filters)
    found = _on_ray(Backtests(CONDITIONS), [*GENOMES[:5], broken, *GENOMES[5:]])
    assert "nowhere" in found[5].error
    assert _same(found[:5] + found[6:], expected)


def test_a_failure_on_every_worker_is_reported_once(tmp_path: Path) -> None:
    with pytest.raises(MemeSnipeError, match=r"there is no folder .*missing"):
        _on_ray(Backtests(Conditions(FillModel(), 1000.0, (tmp_path / "missing",))))


def test_a_chunk_of_a_silent_worker_is_submitted_again(expected: list[Evaluation]) -> None:
    """A worker stopped within a chunk neither fails nor responds; only the deadline detects it."""
    backtests = Backtests(CONDITIONS, deadline_s=2.0)
    found: list[Evaluation] = []
    is_silent = threading.Event()

    def search() -> None:
        """Evaluate again and again, so that a worker is found at it, and once more with the silent one."""
        is_last = False
        while not is_last:
            is_last = is_silent.is_set()
            found[:] = _on_ray(backtests, GENOMES)

    thread = threading.Thread(target=search)
    thread.start()
    silent = wait_for("a worker at a chunk", _worker_at_work, 60)
    os.kill(silent, signal.SIGSTOP)
    is_silent.set()
    try:
        thread.join(120)
        assert not thread.is_alive()
    finally:
        os.kill(silent, signal.SIGKILL)
    assert _same(found, expected)


def _worker_at_work() -> int:
    """Return a worker of this cluster that runs a chunk, according to its command line."""
    for process in psutil.Process().children(recursive=True):  # other programs run backtests on this machine too
        with contextlib.suppress(psutil.Error):
            if "ray::backtest genomes, chunk" in " ".join(process.cmdline()):
                return process.pid
    return 0


@pytest.mark.parametrize("hours", [0.2, 1.0])
def test_windows_of_slices_have_the_results_of_one_array(tmp_path: Path, hours: float) -> None:
    log = EventLog(tmp_path / "events.bin")
    log.append(EVENTS)
    log.close()
    backtests, stored = Backtests(CONDITIONS), StoredWindow()
    for seq in (12_000, 12_300, 20_000):
        window = TrainingWindow(log.path, hours, slice_events=500).at(seq)
        (whole_window,) = Sampler().samples(window, 0)[-1:]
        found = backtests.evaluate(*stored.segments(whole_window), GENOMES[:6], lambda _: None)
        whole = EVENTS[seq - window.count : seq]
        spans = window_spans(Span(window.start_ts, int(whole["ts"][-1]) + 1))
        train, validation = (Segment(span, (cut(whole, span),)) for span in spans)
        assert _same(found, evaluate(train, validation, GENOMES[:6], discover(), CONDITIONS.model, 1000.0))


def test_samples_selected_by_tasks_have_the_results_of_samples_read_here(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.bin")
    log.append(EVENTS)
    log.close()
    backtests, stored = Backtests(CONDITIONS), StoredWindow()
    window = TrainingWindow(log.path, 1.0, slice_events=500).at(20_000)
    samples = Sampler().samples(window, 1)
    assert len(samples) > 1
    for sample in samples:
        segments = stored.segments(sample)
        found = backtests.evaluate(*segments, GENOMES[:6], lambda _: None)
        assert _same(found, evaluate(*sample.segments(), GENOMES[:6], discover(), CONDITIONS.model, 1000.0))
    assert len(segments[0].slices.slices) > 1


def test_a_slice_is_stored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog(tmp_path / "events.bin")
    log.append(EVENTS)
    log.close()
    window, stored = TrainingWindow(log.path, 1.0, slice_events=500), StoredWindow()
    put: list[int] = []
    monkeypatch.setattr("actors.backtest.ray.put", lambda events: put.append(len(events)) or f"{events['seq'][0]}")
    (first_window,) = Sampler().samples(window.at(5_250), 0)[-1:]
    first = stored.segments(first_window)
    assert put == [500] * 10 + [250]
    put.clear()
    (second_window,) = Sampler().samples(window.at(6_100), 0)[-1:]
    second = stored.segments(second_window)
    assert put == [500, 500, 100], "the slice that was not complete, the next one, and the one that is not complete"
    assert first[0].slices.slices == second[0].slices.slices[: len(first[0].slices.slices)]


def test_workers_are_requested_for_a_long_generation_and_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("actors.backtest.request_resources", lambda **request: asked.append(request["num_cpus"]))
    _on_ray(Backtests(CONDITIONS))
    assert asked == [], "this generation is short"
    _on_ray(Backtests(CONDITIONS, generation_s=1e-3, max_cpus=3))
    assert asked == [3, 0]
    assert ray.is_initialized()


def test_workers_look_for_garbage_less_often() -> None:
    def thresholds() -> tuple[int, int, int]:
        return gc.get_threshold()

    assert ray.get(ray.remote(thresholds).remote()) == (50_000, 20, 20)
