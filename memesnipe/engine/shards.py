"""Shards: parts of the population, each advanced over a batch by its own thread.

Strategies are independent of each other, so any split gives the same result; compiled code releases the GIL.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from memesnipe.engine.actions import max_actions
from memesnipe.engine.fills import FillModel
from memesnipe.engine.kernel import advance
from memesnipe.engine.layout import ACTION
from memesnipe.engine.population import Population
from memesnipe.engine.trader import Batch

MIN_ROWS = 256  # starting a thread costs about as much as advancing so many strategies over one event
_ACTIONS = 4096  # room in the buffer beyond the bound of one strategy and event


class Shards:
    """Threads that advance a population."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "shard") if threads > 1 else None

    def move(
        self, population: Population, model: FillModel, batch: Batch, returns: Any, first_sample_ts: int
    ) -> list[Any]:
        """Advance over a batch; return the watched strategies' actions as arrays of dtype ACTION, unordered."""
        count = len(population)
        parts = min(self._threads, max(count // MIN_ROWS, 1))
        bounds = [count * i // parts for i in range(parts + 1)]
        shards = [slice(start, stop) for start, stop in pairwise(bounds)]
        if self._pool is None or len(shards) == 1:
            return _move(population, shards[0], model, batch, returns, first_sample_ts)
        futures = [
            self._pool.submit(_move, population, rows, model, _with_own_votes(batch), returns, first_sample_ts)
            for rows in shards[1:]
        ]
        done = _move(population, shards[0], model, batch, returns, first_sample_ts)
        return [*done, *(actions for future in futures for actions in future.result())]


def _with_own_votes(batch: Batch) -> Batch:
    votes = np.zeros_like(batch.votes)
    return batch._replace(votes=votes, votes_at=votes.ctypes.data)


def _move(
    population: Population, rows: slice, model: FillModel, batch: Batch, returns: Any, first_sample_ts: int
) -> list[Any]:
    """Advance some rows; compiled code stops before its buffer of actions can overflow, and is resumed there."""
    strategy_params, vote_states = population.strategy_params[rows], population.vote_states[rows]
    room = int(max_actions(model.dead_after_ns)) + _ACTIONS if np.any(strategy_params["watched"]) else 0
    written, resume_at = np.zeros(1, np.int64), np.array([0, -1])
    done: list[Any] = []
    is_done = False
    while not is_done:
        actions = np.empty(room, ACTION)
        written[0] = 0
        is_done = advance(
            strategy_params, population.accounts[rows], population.exposures[rows], vote_states,
            vote_states.ctypes.data, model, batch, returns[rows], first_sample_ts, actions, written,
            population.evidence[rows], resume_at,
        )  # fmt: skip
        if written[0]:
            actions["row"] += rows.start  # compiled code counts rows from the first of the slice
            done.append(actions[: written[0]])
    return done
