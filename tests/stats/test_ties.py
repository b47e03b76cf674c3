"""Ties between strategies: rounding must not determine the probability of overfitting."""

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.stats.overfitting import Overfitting, block_moments, overfitting


def _sharpe(returns: np.ndarray) -> float:
    deviation = returns.std(ddof=1)
    return float(returns.mean() / deviation) if deviation > 1e-9 else 0.0


def _slow(returns: np.ndarray, blocks: int) -> Overfitting:
    """Compute overfitting by its definition from all returns; ranks count pairs, with one half for a tie."""
    parts = np.array_split(np.arange(returns.shape[1]), blocks)
    ranks, inside, outside = [], [], []
    for chosen in combinations(range(blocks), blocks // 2):
        seen = np.concatenate([parts[i] for i in chosen])
        unseen = np.setdiff1d(np.arange(returns.shape[1]), seen)
        before, after = ([_sharpe(row[half]) for row in returns] for half in (seen, unseen))
        best = before.index(max(before))
        points = sum(0.5 if abs(after[best] - x) < 1e-12 else float(after[best] > x) for x in after)
        ranks.append((points + 0.5) / (len(returns) + 1))
        inside.append(before[best])
        outside.append(after[best])
    lost = [rank for rank in ranks if rank < 0.5]
    even = [rank for rank in ranks if rank == 0.5]
    slope = np.polyfit(inside, outside, 1)[0]
    logits = np.array([np.log(rank / (1 - rank)) for rank in ranks])
    return Overfitting((len(lost) + len(even) / 2) / len(ranks), logits, slope, float(np.mean(np.array(outside) < 0)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(0, 3), st.sampled_from([4, 6]))
def test_ties_are_ranked_as_in_the_definition(seed: int, distinct: int, idle: int, blocks: int) -> None:
    traded = np.random.default_rng(seed).normal(0.0, 0.01, (distinct, blocks * 6))
    returns = np.concatenate([traded, traded[:1], np.zeros((idle, blocks * 6))])
    expected, found = _slow(returns, blocks), overfitting(block_moments(returns, blocks))
    assert found.pbo == pytest.approx(expected.pbo)
    assert found.logits == pytest.approx(expected.logits, abs=1e-12)
    assert found.degradation_slope == pytest.approx(expected.degradation_slope, rel=1e-6, abs=1e-9)
    assert found.probability_of_loss == pytest.approx(expected.probability_of_loss)


@pytest.mark.parametrize("copies", [2, 5, 33, 1003])
def test_one_strategy_at_many_sizes_has_a_probability_of_one_half(copies: int) -> None:
    """A matrix product rounds its columns differently; without a tolerance the result would be 0.3 or 0.8."""
    rng = np.random.default_rng(copies)
    sizes = rng.uniform(0.1, 3.0, (copies, 1))
    found = overfitting(block_moments(sizes * rng.normal(0.0, 0.01, 160), 8))
    assert found.pbo == 0.5
    assert not found.logits.any()


def test_noise_of_an_odd_number_of_strategies_has_one_half() -> None:
    """Of three, one has the middle rank: counted fully it would give 2/3 for noise, not at all 1/3."""
    rng = np.random.default_rng(9)
    found = [overfitting(block_moments(rng.normal(0, 0.01, (3, 60)), 6)).pbo for _ in range(600)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_differences_above_the_tolerance_determine_the_rank() -> None:
    base = np.random.default_rng(3).normal(0.0, 0.01, 160)
    found = overfitting(block_moments(np.stack([base, base + 1e-6 * 0.01]), 8))
    assert found.pbo == 0.0
    assert found.logits == pytest.approx(np.log(2.0))  # rank 2 of 2, over 3


def test_the_largest_use_takes_less_than_100_mb() -> None:
    moments = block_moments(np.random.default_rng(4).normal(0.0, 0.01, (1000, 160)), 16)
    tracemalloc.start()
    try:
        found = overfitting(moments)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.logits) == 12_870
    assert peak < 100e6
