from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.stats.overfitting import block_moments, overfitting


def _slow(returns: np.ndarray, blocks: int) -> tuple[float, list[float]]:
    """Compute the same from all returns, one split and one strategy at a time."""
    parts = np.array_split(np.arange(returns.shape[1]), blocks)
    logits = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[i] for i in chosen])
        outside = np.concatenate([parts[i] for i in range(blocks) if i not in chosen])
        before = [row[inside].mean() / row[inside].std(ddof=1) for row in returns]
        after = [row[outside].mean() / row[outside].std(ddof=1) for row in returns]
        its = after[int(np.argmax(before))]
        rank = sum(other <= its for other in after) / (len(after) + 1)
        logits.append(float(np.log(rank / (1 - rank))))
    middle = sum(logit == 0 for logit in logits) / 2
    return (sum(logit < 0 for logit in logits) + middle) / len(logits), logits


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 9), st.sampled_from([4, 6, 8]))
def test_overfitting_matches_the_definition(seed: int, strategies: int, blocks: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0, 0.01, (strategies, blocks * 7))
    pbo, logits = _slow(returns, blocks)
    found = overfitting(block_moments(returns, blocks))
    assert found.pbo == pytest.approx(pbo)
    assert found.logits == pytest.approx(logits)


def test_noise_has_a_probability_of_overfitting_of_one_half() -> None:
    """The halves of one sample are not independent, so the mean over many samples is tested."""
    rng = np.random.default_rng(5)
    found = [overfitting(block_moments(rng.normal(0, 0.01, (30, 160)), 8)).pbo for _ in range(60)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.07)


def test_skill_is_not_overfitted_and_in_sample_performance_is() -> None:
    rng = np.random.default_rng(6)
    returns = rng.normal(0.0, 0.01, (20, 320))
    returns[3] += 0.01
    skilled = overfitting(block_moments(returns, 16))
    assert skilled.pbo < 0.01
    assert skilled.probability_of_loss < 0.01
    # Each strategy performs well in its own half of the blocks, and badly in the other.
    pattern = np.array([[1 if i in chosen else -1 for i in range(4)] for chosen in combinations(range(4), 2)])
    fitted = np.repeat(pattern, 40, axis=1) * 0.01 + rng.normal(0.0, 0.003, (6, 160))
    memory = overfitting(block_moments(fitted, 4))
    assert memory.pbo == 1.0
    assert memory.probability_of_loss == 1.0


def test_equal_strategies_have_the_middle_rank() -> None:
    returns = np.tile(np.random.default_rng(1).normal(0, 0.01, 80), (5, 1))
    assert overfitting(block_moments(returns, 8)).pbo == 0.5
    assert overfitting(np.zeros((5, 8, 3))).pbo == 0.5


def test_blocks_partition_the_returns() -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, (3, 103))
    moments = block_moments(returns, 8)
    assert moments[:, :, 0].sum(axis=1) == pytest.approx(103)
    assert set(moments[0, :, 0]) <= {12.0, 13.0}
    assert moments[:, :, 1].sum(axis=1) == pytest.approx(returns.sum(axis=1))
    assert moments[:, :, 2].sum(axis=1) == pytest.approx((returns**2).sum(axis=1))


@pytest.mark.parametrize(("strategies", "blocks"), [(1, 8), (5, 2), (5, 7)])
def test_too_few_strategies_or_blocks_are_rejected(strategies: int, blocks: int) -> None:
    with pytest.raises(ValueError, match="need 2 or more"):
        overfitting(np.ones((strategies, blocks, 3)))
