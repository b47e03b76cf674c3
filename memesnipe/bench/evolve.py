"""Speed of evaluating generations on this machine, with one and two workers, and Ray's share of the time."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from actors.backtest import Backtests, Conditions
from actors.connection import connect_ray, disconnect_ray
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.spans import search_spans, span_of
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import Events
from memesnipe.market.sequencer import Sequencer
from memesnipe.sdk.registry import discover

SEED: Final = 24
CAPITAL_USD: Final = 1_000.0
SESSIONS: Final = (1, 2, 1, 2)  # numbers of workers, alternating, so that other load on the machine affects both
GENERATIONS: Final = 5  # of each session


@dataclass(frozen=True, slots=True)
class Session:
    """The measurements of one session of Ray."""

    workers: int
    start_s: float  # until Ray is ready
    first_result_s: float  # from then to the first evaluation, storing the tape included
    seconds: list[float]  # of each generation
    busy_s: float  # time that workers spent on backtests in them
    evaluations: list[Evaluation]


def bench_evolve(events: int, genomes: int, home: Path, report_step: Callable[[str], None]) -> dict[str, Any]:
    """Return the rates of the same generation with one and with two workers."""
    report_step("making a market")
    messages = list(islice(SyntheticFeed(SEED).messages(0), events))
    market, _ = Sequencer(60, 600).stamp(messages)
    drawn = random_genomes(np.random.default_rng(SEED), discover(), genomes)
    sessions = []
    for number, workers in enumerate(SESSIONS, 1):
        report_step(f"session {number} of {len(SESSIONS)}, {workers} workers")
        sessions.append(_session(market, drawn, workers, home))
    one, two = (_rate(sessions, workers, genomes) for workers in (1, 2))
    fitness = [[e.fitness for e in session.evaluations] for session in sessions]
    return {
        "events": events,
        "genomes": genomes,
        "evaluations_per_s": {"1": round(one, 1), "2": round(two, 1)},
        "speedup": round(two / one, 3),
        "ray_share": {str(w): round(_ray_share(sessions, w), 4) for w in (1, 2)},
        "ray_start_s": round(median(s.start_s for s in sessions), 3),
        "first_result_s": round(median(s.first_result_s for s in sessions), 3),
        "same_results": all(other == fitness[0] for other in fitness),
        "cpus": os.cpu_count(),
    }


def _session(market: Events, genomes: list[Genome], workers: int, home: Path) -> Session:
    started = time.perf_counter()
    connect_ray(None, home, "memesnipe-bench", cpus=workers)
    try:
        ready = time.perf_counter()
        backtests = Backtests(Conditions(FillModel(seed=SEED), CAPITAL_USD))
        spans = search_spans(span_of(market))
        train, validation = backtests.store((spans.train, spans.validation), [market])
        backtests.evaluate(train, validation, genomes[:1], lambda _: None)
        first = time.perf_counter()
        found = backtests.evaluate(
            train, validation, genomes, lambda _: None
        )  # measures the time per genome, for the size of chunks
        backtests.busy_s, seconds = 0.0, []
        for _ in range(GENERATIONS):
            # Stored anew: workers would have kept the votes of all genes, since every generation has the same genomes.
            train, validation = backtests.store((spans.train, spans.validation), [market])
            begun = time.perf_counter()
            backtests.evaluate(train, validation, genomes, lambda _: None)
            seconds.append(time.perf_counter() - begun)
        return Session(workers, ready - started, first - ready, seconds, backtests.busy_s, found)
    finally:
        disconnect_ray()


def _rate(sessions: list[Session], workers: int, genomes: int) -> float:
    return genomes / median(s for session in sessions if session.workers == workers for s in session.seconds)


def _ray_share(sessions: list[Session], workers: int) -> float:
    """Return the share of the workers' time that was not spent on backtests."""
    chosen = [session for session in sessions if session.workers == workers]
    offered = sum(workers * sum(session.seconds) for session in chosen)
    return 1.0 - sum(session.busy_s for session in chosen) / offered
