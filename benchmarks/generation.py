"""One generation of the factory with one worker and with two: how much faster is the second?

    .venv/bin/python benchmarks/generation.py [--hours 24] [--launches 21800] [--generations 5] [--json]

The window is `TRAINING_HOURS` of event time by default, and the search has the default settings. The market is that of
`memesnipe up`, or with `--launches` that of `memesnipe synth`: 21,800 launches are a day of pump.fun.
Sessions of Ray with one and with two workers alternate, so that other load on the machine affects both. Each runs the
same generations: first one that stores all slices and has random genomes, then those that are timed, each on a window
that is `GENERATION_INTERVAL_SECS` later than that of the one before, with its draw of samples, its race and its
bookkeeping.

Beside the wall clock it prints the processor time of a generation: of the workers, of the driver, of Ray's other
processes, and along the critical path (`processor_time.py`), whose ratio other load hardly affects.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from processor_time import ProcessorTime

from actors.backtest import Backtests, Conditions
from actors.connection import connect_ray, disconnect_ray
from actors.stored_window import StoredWindow
from memesnipe.config.policies import admission_of, budget_of, fill_model_of, search_of
from memesnipe.config.settings import Settings, settings_from
from memesnipe.engine.genome import Genome
from memesnipe.evolution.breeding import Breeder, Generation
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.samples import Sample
from memesnipe.evolution.spans import cut
from memesnipe.evolution.window import Window, latest, slices_between_gaps
from memesnipe.feeds.synth_market.market import START_TS, SynthMarket
from memesnipe.feeds.synthetic.past import first_hours, stamp_all
from memesnipe.market.events import NS_PER_S, Events
from memesnipe.market.sequencer import Sequencer
from memesnipe.roles.training_window import SLICE_EVENTS
from memesnipe.sdk.registry import discover
from memesnipe.stats.splits import Span

DEFAULTS = settings_from({}, env_file=None)
WORKERS = (1, 2, 1, 2)


def main() -> None:
    """Measure the generations and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=float(DEFAULTS.evolution.training_hours))
    parser.add_argument("--launches", type=int, default=0, help="of `memesnipe synth`; 0: the market of `memesnipe up`")
    parser.add_argument("--generations", type=int, default=5, help="timed in each session")
    parser.add_argument("--population", type=int, default=DEFAULTS.evolution.population_size, help="POPULATION_SIZE")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for name in ("hours", "generations", "population"):
        if getattr(options, name) <= 0:
            parser.error(f"argument --{name}: must be above 0")
    if options.launches < 0:
        parser.error("argument --launches: must not be below 0")
    settings = settings_from({"population_size": options.population}, env_file=None)
    seed, generations = settings.simulation.seed, 1 + options.generations
    ends = [options.hours + i * settings.evolution.generation_interval_secs / 3_600 for i in range(generations)]
    _print_step(f"making {ends[-1]:g} hours of a synthetic market")
    launches = round(options.launches * ends[-1] / options.hours)
    events = _launches(seed, launches, ends[-1]) if launches else _events(settings, ends[-1])
    windows = [_window(events, end, options.hours) for end in ends]
    sessions = []
    for number, workers in enumerate(WORKERS, 1):
        _print_step(f"session {number} of {len(WORKERS)}, {workers} workers")
        sessions.append(_session(settings, windows, workers))
    report = _report(windows[-1], sessions)
    print(json.dumps(report) if options.json else "\n".join(f"{name:28} {value}" for name, value in report.items()))


def _events(settings: Settings, hours: float) -> Events:
    sequencer = Sequencer(settings.trading.rebalance_interval_secs, settings.evolution.generation_interval_secs)
    return stamp_all(first_hours(settings.simulation.seed, hours), sequencer)


def _launches(seed: int, launches: int, hours: float) -> Events:
    market = SynthMarket(seed, launches, hours)
    events, _ = market.with_mints(market.window(START_TS, START_TS + int(hours * 3_600) * NS_PER_S))
    events["seq"] = np.arange(1, len(events) + 1)
    return events


def _window(events: Events, end: float, hours: float) -> Window:
    """Return the window of so many hours that ends so many hours after the first event."""
    stop_ts = int(events["ts"][0]) + int(end * 3_600) * NS_PER_S
    events = cut(events, Span(0, stop_ts))
    slices = []
    for start in range(0, len(events), SLICE_EVENTS):
        part: Events = events[start : start + SLICE_EVENTS]
        slices += slices_between_gaps(f"{start}", part, lambda i, j, part=part: part[i:j], is_final=True)
    return latest(reversed(slices), int(hours * 3_600) * NS_PER_S)


def _session(settings: Settings, windows: list[Window], workers: int) -> dict[str, Any]:
    """Run a generation on each window with some workers; return their times and results."""
    home = Path(tempfile.mkdtemp())
    connect_ray(None, home, "memesnipe-generation", cpus=workers)
    try:
        conditions = Conditions(fill_model_of(settings), settings.simulation.shadow_capital_usd)
        backtests = Backtests(conditions)
        stored = StoredWindow()
        breeder = Breeder(
            discover(), search_of(settings), settings.simulation.seed,
            admission=admission_of(settings), budget=budget_of(settings),
        )  # fmt: skip
        timed, bred = [], []
        for window in windows:
            processors = ProcessorTime()
            started, backtests.busy_s = time.perf_counter(), 0.0
            bred.append(breeder.breed(window, partial(processors.round, _evaluate, backtests, stored)))
            seconds = time.perf_counter() - started
            timed.append({"seconds": seconds, "busy": backtests.busy_s / workers / seconds, **processors.finish()})
    finally:
        disconnect_ray()
    kept = backtests.genes_kept / max(backtests.genes, 1)
    results = [_results(generation) for generation in bred]
    columns = {name: [generation[name] for generation in timed[1:]] for name in timed[0]}
    return {"workers": workers, "genes": backtests.genes, "kept": kept, "results": results, **columns}


def _evaluate(backtests: Backtests, stored: StoredWindow, sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
    segments = stored.segments(sample)
    return backtests.evaluate(*segments, genomes, lambda _: None)


def _results(generation: Generation) -> list[Any]:
    return [generation.total_evaluations, *((e.spec_id, e.fitness) for e in generation.evaluations)]


def _report(window: Window, sessions: list[dict[str, Any]]) -> dict[str, Any]:
    medians = {workers: partial(_median, sessions, workers) for workers in (1, 2)}
    totals = [results[0] for results in sessions[0]["results"]]
    report: dict[str, Any] = {
        "events of the window": window.count,
        "genomes a generation": round((totals[-1] - totals[0]) / (len(totals) - 1)),
    }
    for workers, of in medians.items():
        name = "1 worker" if workers == 1 else f"{workers} workers"
        report |= {
            f"seconds, {name}": round(of("seconds"), 3),
            f"processor s of workers, {workers}": round(of("workers_s"), 3),
            f"processor s of driver, {workers}": round(of("driver_s"), 3),
            f"processor s of Ray, {workers}": round(of("ray_s"), 3),
            f"critical path, {workers}": round(of("path_s"), 3),
            f"share in backtests, {workers}": round(of("busy"), 3),
            f"genes voted, {name}": round(median(_votes(s) for s in sessions if s["workers"] == workers)),
            f"genes kept, {name}": round(median(s["kept"] for s in sessions if s["workers"] == workers), 3),
        }
    return report | {
        "ratio, processor time": round(medians[1]("path_s") / medians[2]("path_s"), 3),
        "ratio": round(medians[1]("seconds") / medians[2]("seconds"), 3),
        "same results": all(session["results"] == sessions[0]["results"] for session in sessions),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }


def _votes(session: dict[str, Any]) -> float:
    """Return how many genes have voted in a session, for each segment."""
    return float(session["genes"] * (1.0 - session["kept"]))


def _median(sessions: list[dict[str, Any]], workers: int, figure: str) -> float:
    return median(value for session in sessions if session["workers"] == workers for value in session[figure])


def _print_step(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
