"""Shards: parts of the genes and of the population, each advanced over a batch by its own thread.

Genes, and strategies given the votes of all genes, are independent of each other, so any split gives the same result;
compiled code releases the GIL.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from memesnipe.engine.actions import max_actions
from memesnipe.engine.fills import FillModel
from memesnipe.engine.kernel import advance
from memesnipe.engine.layout import ACTION, MAX_EXPOSURES, MAX_GENES
from memesnipe.engine.population import Population
from memesnipe.engine.trader import Batch
from memesnipe.engine.votes import vote

MIN_ROWS = 256  # starting a thread costs about as much as advancing so many strategies over one event
_ACTIONS = 4096  # room in the buffer beyond the bound of one strategy and event

_Result = TypeVar("_Result")


class Shards:
    """Threads that advance a population."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "shard") if threads > 1 else None

    def move(
        self, population: Population, model: FillModel, batch: Batch, returns: Any, first_sample_ts: int
    ) -> list[Any]:
        """Advance over a batch; return the watched strategies' actions as arrays of dtype ACTION, unordered."""
        self._map(len(population.genes), lambda part: _vote(part, batch))
        parts = self._map(len(population), lambda rows: _move(population, rows, model, batch, returns, first_sample_ts))
        return [actions for part in parts for actions in part]

    def _map(self, count: int, work: Callable[[slice], _Result]) -> list[_Result]:
        """Do work on shards of ``count`` rows, the first in this thread; return the results in order."""
        parts = min(self._threads, max(count // MIN_ROWS, 1))
        bounds = [count * i // parts for i in range(parts + 1)]
        first, *others = (slice(start, stop) for start, stop in pairwise(bounds))
        futures = [] if self._pool is None else [self._pool.submit(work, shard) for shard in others]
        return [work(first), *(future.result() for future in futures)]


def _vote(part: slice, batch: Batch) -> None:
    """Compute the votes of some genes."""
    votes = np.zeros((2, 64 * batch.planes.shape[2]), np.int8)
    events_at = batch.events.ctypes.data + batch.first * batch.events.itemsize
    vote(
        batch.genes, part.start, part.stop, events_at, batch.deliveries, batch.deliveries.ctypes.data,
        batch.delivery_count, batch.number, batch.points, votes, votes.ctypes.data,
        batch.numbers, batch.numbers.ctypes.data, batch.planes,
    )  # fmt: skip


def _move(
    population: Population, rows: slice, model: FillModel, batch: Batch, returns: Any, first_sample_ts: int
) -> list[Any]:
    """Advance some rows; compiled code stops before its buffer of actions can overflow, and is resumed there."""
    strategy_params = population.strategy_params[rows]
    room = int(max_actions(model.dead_after_ns)) + _ACTIONS if np.any(strategy_params["watched"]) else 0
    written, resume_at = np.zeros(1, np.int64), np.zeros(3, np.int64)
    votes, spending, next_points = (np.zeros(size, np.int64) for size in (MAX_GENES, 1, MAX_EXPOSURES))
    done: list[Any] = []
    is_done = False
    while not is_done:
        actions = np.empty(room, ACTION)
        written[0] = 0
        is_done = advance(
            strategy_params, population.accounts[rows], population.exposures[rows], population.vote_states[rows],
            model, batch, returns[rows], first_sample_ts, actions, written,
            population.evidence[rows], votes, spending, next_points, resume_at,
        )  # fmt: skip
        if written[0]:
            actions["row"] += rows.start  # compiled code counts rows from the first of the slice
            done.append(actions[: written[0]])
    return done
