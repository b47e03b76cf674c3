"""Estimate of a search's cores, hours and dollars, from a calibration on this machine."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

import numpy as np

from actors.backtest import MIN_CHUNK
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Segment, run_segment
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.spans import span_of
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import EVENT, Events
from memesnipe.market.sequencer import Sequencer
from memesnipe.sdk.registry import Families, discover

SEED: Final = 24
CAPITAL_USD: Final = 1_000.0
FEW: Final = MIN_CHUNK
MANY: Final = 4 * MIN_CHUNK
ROUNDS: Final = 3
SEARCHED_SHARE: Final = 0.7  # of a tape; the rest is the holdout


@dataclass(frozen=True, slots=True)
class Calibration:
    """Time on one core of this machine, in ns: per event of a pass over the market, and per event and genome."""

    events: int
    event_ns: float
    genome_event_ns: float


def synthetic_events(count: int) -> Events:
    """Return ``count`` messages' events of the synthetic market."""
    events, _ = Sequencer(60, 600).stamp(list(islice(SyntheticFeed(SEED).messages(0), count)))
    return events


def calibrate(events: Events) -> Calibration:
    """Time a small and a large chunk alternately on the same events; their difference is the cost of the genomes."""
    families = discover()
    genomes = random_genomes(np.random.default_rng(SEED), families, MANY)
    segment = Segment(span_of(events), (events,))
    _seconds(segment, genomes[:1], families)  # compiles, or loads the compiled code
    timings = [
        (_seconds(segment, genomes[:FEW], families), _seconds(segment, genomes, families)) for _ in range(ROUNDS)
    ]
    few, many = (min(times) for times in zip(*timings, strict=True))
    genome_s = max(many - few, 1e-9) / (MANY - FEW)
    pass_s = max(few - FEW * genome_s, 0.0)
    return Calibration(len(events), pass_s / len(events) * 1e9, genome_s / len(events) * 1e9)


def _seconds(segment: Segment, genomes: list[Genome], families: Families) -> float:
    start = time.perf_counter()
    run_segment(segment, genomes, families, FillModel(seed=SEED), CAPITAL_USD)
    return time.perf_counter() - start


def plan(
    measured: Calibration, *, population: int, generations: int, events: int, cores: Iterable[int],
    efficiency: float, usd_per_core_hour: float,
) -> dict[str, Any]:  # fmt: skip
    """Return the cores, hours and dollars of a search.

    Args:
        measured: calibration of a core like those of the search.
        population: genomes in a generation.
        generations: number of generations.
        events: on the tape; the search uses 70 % of them.
        cores: numbers of cores to compute the hours for.
        efficiency: share of the cores' time spent on backtests.
        usd_per_core_hour: price of a core.
    """
    searched = int(events * SEARCHED_SHARE)
    passes = -(-population // MIN_CHUNK)
    generation_s = searched * (passes * measured.event_ns + population * measured.genome_event_ns) * 1e-9
    core_hours = generation_s * generations / efficiency / 3600.0
    return {
        "population": population,
        "generations": generations,
        "events": events,
        "genome_events": searched * population * generations,
        "tape_gb": round(events * EVENT.itemsize / 1e9, 3),
        "core_hours_per_generation": round(core_hours / generations, 4),
        "core_hours": round(core_hours, 4),
        "hours": {str(count): round(core_hours / count, 4) for count in cores},
        "usd": round(core_hours * usd_per_core_hour, 4),
        "usd_per_core_hour": usd_per_core_hour,
        "efficiency": efficiency,
        "calibration": asdict(measured),
    }
