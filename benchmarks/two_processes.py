"""The most that a second worker can gain on this machine: backtests in two processes against one, without Ray.

    .venv/bin/python benchmarks/two_processes.py [--launches 21800] [--rounds 3] [--json]

Each process runs the same backtests on its own copy of a sample of the window of `benchmarks/generation.py`: a small
sample, a larger one and the largest below the whole window, each with as many genomes as take about a second. The
ratio is below 2 where the processes share memory bandwidth and cache. The rounds alternate between one process and
two, so that other load on the machine affects both.
"""

import argparse
import json
import multiprocessing
import time
from queue import Queue
from statistics import median
from threading import Barrier
from typing import Any

import numpy as np
from generation import DEFAULTS, _events, _launches, _window

from memesnipe.config.policies import fill_model_of
from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Segment, evaluate
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.samples import Sample, Sampler
from memesnipe.sdk.registry import discover

GENOME_EVENTS = 8_000_000  # of one measurement, in training and validation together
MAX_GENOMES = 600
CONTEXT = multiprocessing.get_context("fork")  # the samples are not copied


def main() -> None:
    """Measure the samples and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launches", type=int, default=21_800, help="of `memesnipe synth`; 0: the market of `up`")
    parser.add_argument("--hours", type=float, default=float(DEFAULTS.evolution.training_hours))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.launches < 0 or options.hours <= 0 or options.rounds < 1:
        parser.error("--launches must not be below 0, --hours and --rounds must be above 0")
    seed = DEFAULTS.simulation.seed
    events = _launches(seed, options.launches, options.hours) if options.launches else _events(DEFAULTS, options.hours)
    samples = Sampler().samples(_window(events, options.hours), 0)
    report = [_measure(sample, options.rounds) for sample in (samples[0], samples[len(samples) // 2], samples[-2])]
    if options.json:
        print(json.dumps(report))
        return
    for found in report:
        print("  ".join(f"{name} {value}" for name, value in found.items()))


def _measure(sample: Sample, rounds: int) -> dict[str, Any]:
    """Return the seconds of one process and of two, and the ratio of their rates."""
    segments = [Segment(part.span, [np.array(events) for events in part.slices]) for part in sample.segments()]
    count = min(max(GENOME_EVENTS // sample.events, 2), MAX_GENOMES)
    genomes = random_genomes(np.random.default_rng(1), discover(), count)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for processes, taken in seconds.items():
            taken.append(_run(segments, genomes, processes))
    one, two = median(seconds[1]), median(seconds[2])
    ratios = sorted(2 * a / b for a, b in zip(seconds[1], seconds[2], strict=True))
    return {
        "events": sample.events,
        "genomes": count,
        "seconds, 1 process": round(one, 3),
        "seconds, 2 processes": round(two, 3),
        "ratio": round(2 * one / two, 3),
        "from": round(ratios[0], 3),
        "to": round(ratios[-1], 3),
    }


def _run(segments: list[Segment], genomes: list[Genome], processes: int) -> float:
    """Return the seconds in which every process has run the backtests; all begin at the same time."""
    start, done = CONTEXT.Barrier(processes), CONTEXT.Queue()
    workers = [CONTEXT.Process(target=_work, args=(segments, genomes, start, done)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    longest = max(done.get() for _ in workers)
    for worker in workers:
        worker.join()
    return float(longest)


def _work(segments: list[Segment], genomes: list[Genome], start: "Barrier", done: "Queue[float]") -> None:
    families, model, capital_usd = discover(), fill_model_of(DEFAULTS), DEFAULTS.simulation.shadow_capital_usd
    train, validation = segments
    evaluate(train, validation, genomes[:2], families, model, capital_usd)  # loads the compiled code
    start.wait()
    began = time.perf_counter()
    evaluate(train, validation, genomes, families, model, capital_usd)
    done.put(time.perf_counter() - began)


if __name__ == "__main__":
    main()
