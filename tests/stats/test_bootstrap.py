import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.bootstrap import bootstrap_interval, sharpe_statistic, stationary_indices
from memesnipe.stats.sharpe import sharpe_of


def _means(samples: np.ndarray) -> np.ndarray:
    return samples.mean(axis=1)


@given(st.integers(0, 2**32), st.integers(1, 50), st.floats(1, 20))
def test_blocks_are_consecutive_and_wrap_around(seed: int, periods: int, mean_block: float) -> None:
    indices = stationary_indices(np.random.default_rng(seed), periods, 7, mean_block)
    assert indices.shape == (7, periods)
    assert indices.min() >= 0
    assert indices.max() < periods


def test_the_mean_length_of_blocks_is_as_specified() -> None:
    indices = stationary_indices(np.random.default_rng(1), 1000, 200, 8.0)
    runs_on = (np.diff(indices, axis=1) == 1) | (np.diff(indices, axis=1) == -999)
    assert 1.0 / (1.0 - runs_on.mean()) == pytest.approx(8.0, rel=0.05)
    with pytest.raises(ValueError, match="at least 1"):
        stationary_indices(np.random.default_rng(1), 10, 1, 0.5)


def test_the_interval_covers_the_true_value_with_its_confidence() -> None:
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(200):
        low, high = bootstrap_interval(rng.normal(0.3, 1.0, 120), _means, rng, mean_block=1.0, samples=300)
        inside += low <= 0.3 <= high
    assert 0.89 <= inside / 200 <= 0.98


def test_intervals_of_dependent_returns_widen_with_the_block_length() -> None:
    rng = np.random.default_rng(3)
    shocks = rng.normal(0.0, 1.0, 2000)
    returns = np.convolve(shocks, np.ones(20) / 20, mode="valid")
    (low_1, high_1), (low_40, high_40) = (
        bootstrap_interval(returns, _means, rng, mean_block=block, samples=400) for block in (1.0, 40.0)
    )
    assert high_40 - low_40 > 2.5 * (high_1 - low_1)


def test_sharpe_statistic_of_each_sample() -> None:
    samples = np.random.default_rng(4).normal(0.1, 1.0, (5, 50))
    samples[2] = 0.3
    expected = [sharpe_of(row, 60.0).ratio for row in samples]
    assert sharpe_statistic(samples) == pytest.approx(expected)
    assert expected[2] == 0.0
