"""One case of `genes.py` with the version of MemeSnipe that is first in PYTHONPATH; prints one JSON object.

The cases: `flat` and `busy` are those of `memesnipe bench engine`, one gene a strategy and none twice; `random` has
random genomes of all families; `related` has genomes whose signals are drawn from those of 30 genomes; the live ones
advance over batches of as many events as 5 ms bring at 11,000 a second.
"""

import argparse
import heapq
import json
import time
from dataclasses import replace
from hashlib import blake2b
from itertools import islice

import numpy as np

import memesnipe
from memesnipe.bench.engine import BUSY, FAMILY, FLAT
from memesnipe.bench.market import make_market
from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome, SignalGene, simple_genome
from memesnipe.evolution.operators import random_genomes
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import Events
from memesnipe.market.sequencer import Sequencer
from memesnipe.sdk.registry import discover

SEED = 24
EVENTS = 60_000
MARKETS = 12  # merged synthetic markets
LIVE_EVENTS, LIVE_BATCH = 6_000, 56
FAMILIES = discover()


def main() -> None:
    """Run the case and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    parser.add_argument("--timed", action="store_true", help="run once before the measurement")
    options = parser.parse_args()
    genomes = _genomes(options.case)
    is_live = options.case.startswith("live")
    events = make_market(EVENTS, 300, SEED) if options.case in ("flat", "busy") else _synthetic()
    for _ in range(2 if options.timed else 1):
        engine, seconds, count = _advance(genomes, events, is_live=is_live)
    results = [(r.spec_id, r.digest, r.total_pnl_usd, r.sharpe, r.max_drawdown, r.orders) for r in engine.results()]
    signals = [(s.family, json.dumps(s.params, sort_keys=True)) for genome in genomes for s in genome.signals]
    trades = sum(result.trades for result in engine.results())
    figures = {
        "package": str(memesnipe.__path__[0]),
        "digest": blake2b(repr(results).encode()).hexdigest(),
        "ns": seconds / count / len(genomes) * 1e9,
        "strategies": len(genomes),
        "genes": len(set(signals)),
        "signals": len(signals),
        "trades a million events": trades / len(genomes) / len(events) * 1e6,
    }
    print(json.dumps(figures))


def _advance(genomes: list[Genome], events: Events, *, is_live: bool) -> tuple[Engine, float, int]:
    """Return the engine after the events, the processor time in seconds, and the number of events that it is for."""
    engine = Engine(FAMILIES, FillModel(), 1000.0)
    engine.add(*genomes)
    parts = [events]
    if is_live:
        first = len(events) - LIVE_EVENTS
        engine.advance(events[:first])
        parts = [events[at : at + LIVE_BATCH] for at in range(first, len(events), LIVE_BATCH)]
    start = time.process_time()
    for part in parts:
        engine.advance(part)
    return engine, time.process_time() - start, sum(len(part) for part in parts)


def _genomes(case: str) -> list[Genome]:
    rng = np.random.default_rng(SEED)
    if case in ("flat", "busy"):
        given = FLAT if case == "flat" else BUSY
        return [simple_genome(FAMILY, {"lookback_s": 240.0 + 2.0 * i, **given}) for i in range(60)]
    count = 1_000 if case.startswith("live") else 60
    if not case.endswith("related"):
        return random_genomes(rng, FAMILIES, count)
    signals = [signal for genome in random_genomes(rng, FAMILIES, 30) for signal in genome.signals]
    return [
        replace(genome, signals=tuple(_of_family(rng, signals, s.family) or s for s in genome.signals))
        for genome in random_genomes(rng, FAMILIES, max(count, 600))
    ]


def _of_family(rng: np.random.Generator, signals: list[SignalGene], family: str) -> SignalGene | None:
    """Return a random one of the signals of a family, or None."""
    found = [signal for signal in signals if signal.family == family]
    return found[int(rng.integers(len(found)))] if found else None


def _synthetic() -> Events:
    feeds = [SyntheticFeed(SEED + i).messages(0) for i in range(MARKETS)]
    messages = list(islice(heapq.merge(*feeds, key=lambda message: message["ts"]), EVENTS // 2))
    events, rejected = Sequencer(60, 600).stamp(messages)
    if rejected:
        raise SystemExit(f"the sequencer rejected an event: {rejected[0].reason}")
    return events


if __name__ == "__main__":
    main()
