"""Entries found 64 points at a time, compared with the score of each point."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.compiled import compiled
from memesnipe.engine.entries import entries_from, next_entry, write_tables
from memesnipe.engine.layout import GENE, STRATEGY_PARAMS
from memesnipe.engine.points import NO_POINT, points_of
from memesnipe.engine.trader import Batch
from memesnipe.market.token_slots import DELIVERY
from memesnipe.sdk.strategy import BUY, HOLD, SELL, SHORT

VOTES = (HOLD, BUY, SELL, SHORT)
KINDS = 3  # gene i is subscribed to kind 0, and to kind i


@compiled
def found_entries(strategy_params: Any, batch: Batch, start: int, out: Any) -> int:
    """Write all points from ``start`` on at which an entry is possible; return their number."""
    count = 0
    word, bits = entries_from(strategy_params[0], batch, start)
    while True:
        point, word, bits = next_entry(strategy_params[0], batch, word, bits)
        if point == NO_POINT:
            return count
        out[count] = point
        count += 1


def batch_of(votes: np.ndarray, kinds: np.ndarray) -> Batch:
    """Return a batch of one event a point; ``votes`` has shape (genes, points)."""
    genes, count = votes.shape
    deliveries = np.zeros(count, DELIVERY)
    deliveries["event"], deliveries["own"], deliveries["kind"] = np.arange(count), 1, kinds
    points = points_of(deliveries, count, [1 | 1 << i for i in range(genes)], 1)
    planes = np.zeros((genes, 2, points.fresh.shape[1]), np.int64)
    for gene, point in np.ndindex(votes.shape):
        byte = int(votes[gene, point]) & 0xFF
        for plane, bit in enumerate((byte & 1, byte >> 7)):
            planes[gene, plane].view(np.uint64)[point // 64] |= np.uint64(bit << point % 64)
    records = np.zeros(genes, GENE)
    records["subscription"] = np.arange(genes)
    none = np.zeros(0, np.int64)
    return Batch(
        none, none, none, none, none, 0, count, 1, deliveries, count, none, points, records, planes, planes[:, 0]
    )  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    genes=st.integers(1, 3),
    count=st.sampled_from([1, 63, 64, 65, 200]),
    threshold=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
)
def test_entries_are_the_points_whose_votes_reach_the_threshold(
    seed: int, genes: int, count: int, threshold: float
) -> None:
    rng = np.random.default_rng(seed)
    votes = rng.choice(VOTES, (genes, count))
    kinds = rng.choice(KINDS, count, p=[0.9, 0.05, 0.05])
    strategy = np.zeros(1, STRATEGY_PARAMS)
    weights = rng.choice([0.0, 0.3, 0.5, 1.0], genes)
    strategy["genes"], strategy["gene"][0, :genes], strategy["weights"][0, :genes] = genes, np.arange(genes), weights
    strategy["vote_threshold"] = threshold * sum(weights.tolist(), start=0.0)
    write_tables(strategy)
    start, out = int(rng.integers(count + 1)), np.zeros(count, np.int64)
    found = set(out[: found_entries(strategy, batch_of(votes, kinds), start, out)].tolist())
    for point in range(start, count):
        voting = [kinds[point] in (0, gene) for gene in range(genes)]
        # A standing vote may have been spent.
        possible = [_calls(strategy[0], stood) for stood in _standing(votes[:, point].tolist(), voting)]
        assert (point in found) == (any(voting) and any(possible)), (point, votes[:, point])
    assert all(point >= start for point in found)


def _standing(votes: list[int], voting: list[bool]) -> list[list[int]]:
    if not votes:
        return [[]]
    own = [votes[0]] if voting[0] else [votes[0], HOLD]
    return [[vote, *rest] for vote in own for rest in _standing(votes[1:], voting[1:])]


def _calls(strategy: np.void, votes: list[int]) -> bool:
    score = 0.0
    for weight, vote in zip(strategy["weights"].tolist(), votes, strict=False):
        score += weight * max(vote, -1)
    if len(votes) == 1 and votes[0] == HOLD:
        return False
    threshold = float(strategy["vote_threshold"])
    return score >= threshold or (score <= -threshold and SHORT in votes)
