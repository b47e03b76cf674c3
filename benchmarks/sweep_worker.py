"""One case of `sweep.py`: `python benchmarks/sweep_worker.py CASE EVENTS`; prints one JSON object."""

import argparse
import json
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from hashlib import blake2b
from multiprocessing import get_context
from typing import Final

import numpy as np

from memesnipe.bench.market import make_market
from memesnipe.engine.backtest import backtest
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import FilterGenes, Genome
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.evolution.evaluation import Segment, evaluate
from memesnipe.evolution.genetic_algorithm import SearchSettings
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.search import Search
from memesnipe.evolution.spans import cut, search_spans, span_of
from memesnipe.market.events import Events
from memesnipe.sdk.registry import discover

SEED: Final = 24
TOKENS: Final = 300
HOLD_S: Final = 10.0
TRADES: Final = {"sparse": 1_700, "dense": 18_000}  # a million events
GENOMES, GENES, DRAWN = 1_000, 64, 1_500
GENERATION, CHUNK, PROCESSES = 10_000, 500, 2
POPULATION, GENERATIONS, BRED_EVENTS = 400, 9, 20_000
FAMILIES, MODEL, CAPITAL_USD = discover(), FillModel(seed=SEED), 1_000.0


def main() -> None:
    """Run the case twice, and print the figures of the second run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    parser.add_argument("events", type=int)
    options = parser.parse_args()
    events = make_market(options.events, TOKENS, SEED)
    genomes = _genomes(options.case, events)
    if options.case == "generation":
        results, seconds, mb = _in_processes(events, genomes)
    else:
        backtest(events, genomes, FAMILIES, MODEL, CAPITAL_USD)
        begun = time.process_time()
        results = backtest(events, genomes, FAMILIES, MODEL, CAPITAL_USD)
        seconds, mb = time.process_time() - begun, _peak_mb()
    signals = [(signal.family, json.dumps(signal.params)) for genome in genomes for signal in genome.signals]
    figures = {
        "genomes": len(genomes),
        "events": len(events),
        "signals": len(signals),
        "genes": len(set(signals)),
        "trades_per_million": sum(result.trades for result in results) / len(genomes) / len(events) * 1e6,
        "mean_hold_s": float(np.mean([result.mean_hold_s for result in results if result.trades])),
        "seconds": seconds,
        "mb": mb,
        "digest": blake2b("".join(result.digest for result in results).encode()).hexdigest(),
    }
    print(json.dumps(figures))


def _genomes(case: str, events: Events) -> list[Genome]:
    rng = np.random.default_rng(SEED)
    if case == "distinct":
        return random_genomes(rng, FAMILIES, GENOMES)
    if case == "bred":
        return _bred(events)
    if case in TRADES:
        return _from_few_genes(rng, events, TRADES[case], GENOMES)
    return [one for wanted in TRADES.values() for one in _from_few_genes(rng, events, wanted, GENERATION // 2)]


def _from_few_genes(rng: np.random.Generator, events: Events, wanted: float, count: int) -> list[Genome]:
    """Return genomes of 64 genes that trade about as often as wanted.

    The genes are those that, alone, trade the nearest to it among many random ones. Each genome has one to three of
    them, and weights, a threshold, exits and a size of its own; of twice as many genomes the nearest are returned.
    """
    exits = replace(random_genomes(rng, FAMILIES, 1)[0].exits, max_hold_s=HOLD_S)
    filters = FilterGenes(min_liquidity_usd=0.0, min_age_s=0.0)
    drawn = [replace(signal, weight=1.0) for one in random_genomes(rng, FAMILIES, DRAWN) for signal in one.signals]
    alone = [Genome((signal,), 0.5, 0.05, exits, filters) for signal in drawn]
    genes = [one.signals[0] for one in _nearest(alone, events, wanted, GENES)]
    genomes = []
    for model in random_genomes(rng, FAMILIES, 2 * count):
        chosen = rng.choice(len(genes), size=len(model.signals), replace=False)
        signals = tuple(replace(genes[i], weight=float(rng.uniform(0.2, 1.0))) for i in chosen)
        held_s = float(HOLD_S * rng.uniform(0.5, 2.0))
        threshold = float(rng.uniform(0.2, 0.6))
        genomes.append(Genome(signals, threshold, model.size, replace(model.exits, max_hold_s=held_s), filters))
    return _nearest(genomes, events, wanted, count)


def _nearest(genomes: list[Genome], events: Events, wanted: float, count: int) -> list[Genome]:
    """Return the genomes whose number of trades is nearest to the wanted one, by ratio, on a part of the events."""
    part = events[: max(len(events) // 5, 1)]
    found = [
        result.trades
        for start in range(0, len(genomes), CHUNK)
        for result in backtest(part, genomes[start : start + CHUNK], FAMILIES, MODEL, CAPITAL_USD)
    ]
    distance = np.abs(np.log(np.maximum(np.array(found) / len(part) * 1e6, 1.0) / wanted))
    return [genomes[i] for i in np.argsort(distance, kind="stable")[:count]]


def _bred(events: Events) -> list[Genome]:
    """Return the tenth generation of a search on the first events."""
    part = events[:BRED_EVENTS]
    spans = search_spans(span_of(part))
    train, validation = (Segment(span, (cut(part, span),), repr(span)) for span in (spans.train, spans.validation))
    search = Search(FAMILIES, SearchSettings(POPULATION, 0.2, 0.7, 3), SEED)
    for _ in range(GENERATIONS):
        genomes = search.ask()
        search.tell(genomes, evaluate(train, validation, genomes, FAMILIES, MODEL, CAPITAL_USD))
    return search.ask()


def _in_processes(events: Events, genomes: list[Genome]) -> tuple[list[StrategyResult], float, float]:
    """Return the results of all genomes, the time by the clock, and the memory of both processes at their peak."""
    chunks = [genomes[start : start + CHUNK] for start in range(0, len(genomes), CHUNK)]
    with ProcessPoolExecutor(PROCESSES, get_context("fork")) as pool:
        global _EVENTS  # noqa: PLW0603 - inherited by the processes, which are forked at the first call
        _EVENTS = events
        list(pool.map(_chunk, [chunk[:1] for chunk in chunks[:PROCESSES]]))
        begun = time.perf_counter()
        done = list(pool.map(_chunk, chunks))
        seconds = time.perf_counter() - begun
    return [result for results, _, _ in done for result in results], seconds, sum(_peaks(done).values())


_EVENTS: Events


def _chunk(genomes: list[Genome]) -> tuple[list[StrategyResult], int, float]:
    return backtest(_EVENTS, genomes, FAMILIES, MODEL, CAPITAL_USD), os.getpid(), _peak_mb()


def _peaks(done: list[tuple[list[StrategyResult], int, float]]) -> dict[int, float]:
    return {pid: mb for _, pid, mb in done}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


if __name__ == "__main__":
    main()
