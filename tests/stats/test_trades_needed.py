"""The expected number of further round trips: the formula for small edges, its limits, and a simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.betting import BET_SIZES
from memesnipe.stats.trades_needed import trades_needed


def _needed(e_value: float, threshold: float, mean: float, variance: float, max_loss: float = 1.1) -> float:
    arrays = (np.array([value]) for value in (e_value, threshold, mean, variance))
    return float(trades_needed(*arrays, max_loss)[0])


@given(st.sampled_from(BET_SIZES), st.floats(0.2, 4.0), st.floats(1.0, 1e4), st.floats(2.0, 1e4))
def test_for_a_bet_size_that_is_best_it_is_twice_the_logarithm_over_the_squared_ratio(
    size: float, variance: float, e_value: float, factor: float
) -> None:
    mean = size * variance  # the best share of the equity is then about `size`
    expected = 2 * math.log(factor) / (mean**2 / (variance + mean**2))
    # The share is exactly mean / (variance + mean^2) only in the limit of small means.
    assert _needed(e_value, factor * e_value, mean, variance, max_loss=1.0) >= expected * (1 - 1e-9)
    if mean < 0.1:
        assert _needed(e_value, factor * e_value, mean, variance, max_loss=1.0) == pytest.approx(expected, rel=0.02)


def test_between_two_bet_sizes_it_is_little_more() -> None:
    ratios = np.linspace(0.02, 0.4, 50)
    needed = [_needed(1.0, 1e4, ratio, 1.0, max_loss=1.0) for ratio in ratios]
    assert (needed / (2 * math.log(1e4) * (1 + ratios**2) / ratios**2)).max() < 1.25


@pytest.mark.parametrize("mean", [0.0, -0.1])
def test_without_a_positive_mean_it_is_infinite(mean: float) -> None:
    assert _needed(1.0, 100.0, mean, 0.5) == math.inf


def test_it_is_infinite_without_evidence_left_and_zero_at_the_threshold() -> None:
    assert _needed(0.0, 100.0, 0.1, 0.5) == math.inf
    assert _needed(100.0, 100.0, -0.1, 0.5) == 0.0
    assert _needed(1.0, math.inf, 0.1, 0.5) == math.inf


def test_many_strategies_are_computed_at_once() -> None:
    means = np.array([0.1, -0.1, 0.1])
    found = trades_needed(np.array([1.0, 1.0, 99.0]), np.full(3, 50.0), means, np.full(3, 0.5), 1.1)
    assert found[1] == math.inf
    assert found[2] == 0.0
    assert 0.0 < found[0] < 1_000.0
