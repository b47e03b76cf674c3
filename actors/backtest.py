"""The Ray tasks: a generation's backtests, in chunks, over one copy of the tape in the object store."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import ray

from memesnipe.engine.backtest import backtest
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.evolution.fitness import Evaluation, evaluate, split
from memesnipe.market.events import Events
from memesnipe.sdk.registry import Families, discover

_CHUNKS_PER_CPU = 2


@lru_cache(maxsize=1)
def _families(folders: tuple[Path, ...]) -> Families:
    return discover(*folders)


# A lost worker costs one chunk: it is run again, with the same result.
@ray.remote(num_cpus=1, max_retries=5)
def _backtest_chunk(
    window: Events, genomes: list[Genome], model: FillModel, capital_usd: float, folders: tuple[Path, ...]
) -> list[Evaluation]:
    train, validation = split(window)
    families = _families(folders)
    first = backtest(train, genomes, families, model, capital_usd)
    second = backtest(validation, genomes, families, model, capital_usd)
    return [evaluate(a, b) for a, b in zip(first, second, strict=True)]


def evaluate_on_ray(
    window: Events, genomes: list[Genome], model: FillModel, capital_usd: float, *, folders: tuple[Path, ...]
) -> list[Evaluation]:
    """One evaluation a genome, in the order given, whatever the number of workers.

    Args:
        window: the events, shape (n,).
        genomes: what to evaluate.
        model: how orders get onto the chain.
        capital_usd: of each genome.
        folders: of the user's own strategies; each worker looks there itself.
    """
    cpus = int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]
    size = -(-len(genomes) // (_CHUNKS_PER_CPU * max(cpus, 1)))
    shared: Any = ray.put(window)
    chunks = [genomes[start : start + size] for start in range(0, len(genomes), size)]
    tasks = [_backtest_chunk.remote(shared, chunk, model, capital_usd, folders) for chunk in chunks]
    return [evaluation for chunk in ray.get(tasks) for evaluation in chunk]
