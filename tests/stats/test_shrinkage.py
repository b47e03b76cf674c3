"""Shrinkage: a short record counts little, equal strategies coincide, and a simulation has the promised errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.shrinkage import DEFAULT_VARIANCE, pooled_variances, shrink

RECORDS = st.lists(st.tuples(st.integers(0, 50), st.floats(-1.0, 2.0), st.floats(0.0, 1.0)), min_size=1, max_size=30)


def _arrays(records: list[tuple[int, float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    counts, means, variances = (np.array(column) for column in zip(*records, strict=True))
    return counts, means.astype(float), variances.astype(float)


@given(RECORDS)
def test_an_expectation_is_between_the_centre_and_the_own_mean(records: list[tuple[int, float, float]]) -> None:
    counts, means, variances = _arrays(records)
    shrunk = shrink(counts, means, variances)
    own = np.where(counts > 0, means, shrunk.centre)
    low, high = np.minimum(own, shrunk.centre), np.maximum(own, shrunk.centre)
    assert ((low - 1e-9 <= shrunk.means) & (shrunk.means <= high + 1e-9)).all()
    assert (shrunk.variances > 0.0).all()
    assert (shrunk.deviations > 0.0).all()
    assert np.isfinite(shrunk.deviations).all()


@given(RECORDS)
def test_the_result_does_not_depend_on_the_order(records: list[tuple[int, float, float]]) -> None:
    forward, backward = shrink(*_arrays(records)), shrink(*_arrays(records[::-1]))
    assert forward.means == pytest.approx(backward.means[::-1], abs=1e-6)
    assert forward.deviations == pytest.approx(backward.deviations[::-1], abs=1e-6)


def test_a_longer_record_of_the_same_mean_is_moved_less() -> None:
    rng = np.random.default_rng(1)
    counts = np.concatenate([[3, 300], np.full(200, 100)])
    means = np.concatenate([[0.5, 0.5], rng.normal(0.0, 0.3, 200)])
    shrunk = shrink(counts, means, np.full(202, 0.6))
    assert 0.0 < shrunk.means[0] < shrunk.means[1] < 0.5
    assert shrunk.deviations[0] > shrunk.deviations[1]


def test_strategies_that_differ_by_luck_alone_get_one_expectation() -> None:
    rng = np.random.default_rng(2)
    counts = np.full(500, 20)
    shrunk = shrink(counts, rng.normal(-0.02, np.sqrt(0.5 / 20), 500), np.full(500, 0.5))
    assert shrunk.between_variance < 0.1 * 0.5 / 20
    assert np.ptp(shrunk.means) < 0.1
    assert shrunk.centre == pytest.approx(-0.02, abs=0.02)


def test_one_round_trip_has_the_variance_of_all_others() -> None:
    counts, variances = np.array([1, 2, 1000, 1000]), np.array([0.0, 9.0, 0.5, 0.5])
    pooled = pooled_variances(counts, variances)
    assert pooled[0] == pytest.approx(0.5, abs=0.01)  # a sample variance of one value says nothing
    assert 0.5 < pooled[1] < 1.5
    assert pooled[2] == pytest.approx(0.5, abs=0.01)


def test_without_round_trips_nothing_is_expected() -> None:
    shrunk = shrink(np.zeros(3, np.int64), np.full(3, 9.0), np.zeros(3))
    assert shrunk.means.tolist() == [0.0] * 3
    assert shrunk.variances.tolist() == [DEFAULT_VARIANCE] * 3
    assert shrink(np.zeros(0, np.int64), np.zeros(0), np.zeros(0)).means.tolist() == []


def test_a_single_strategy_is_as_uncertain_as_its_own_mean() -> None:
    shrunk = shrink(np.array([4]), np.array([0.3]), np.array([0.4]))
    assert shrunk.means[0] == pytest.approx(0.3)
    assert shrunk.deviations[0] == pytest.approx(np.sqrt(shrunk.variances[0] / 4))


def test_a_strategy_without_round_trips_has_the_centre_and_the_spread_of_all() -> None:
    rng = np.random.default_rng(3)
    counts = np.append(np.full(400, 50), 0)
    means = np.append(rng.normal(0.1, 0.2, 400), 99.0)
    shrunk = shrink(counts, means, np.full(401, 0.25))
    assert shrunk.means[-1] == shrunk.centre == pytest.approx(0.1, abs=0.03)
    assert shrunk.deviations[-1] == pytest.approx(np.sqrt(shrunk.between_variance), rel=0.01)


def test_the_true_means_deviate_as_much_as_stated() -> None:
    """In a simulation with unequal counts, three quarters of the strategies with few round trips."""
    rng = np.random.default_rng(4)
    spread, variance, size = 0.1, 0.5, 4_000
    true = rng.normal(-0.03, spread, size)
    counts = np.where(rng.random(size) < 0.75, rng.integers(1, 6, size), rng.integers(50, 500, size))
    observed = true + rng.normal(0.0, np.sqrt(variance / counts))
    variances = variance * rng.chisquare(np.maximum(counts - 1, 1)) / np.maximum(counts - 1, 1)
    shrunk = shrink(counts, observed, np.where(counts > 1, variances, 0.0))
    assert np.sqrt(shrunk.between_variance) == pytest.approx(spread, rel=0.1)
    scores = (true - shrunk.means) / shrunk.deviations
    assert np.std(scores) == pytest.approx(1.0, abs=0.05)
    assert np.mean(scores) == pytest.approx(0.0, abs=0.05)
    # The best by expectation are as good as expected; the best by their own means are not.
    best = np.argsort(shrunk.means)[-100:]
    assert np.mean(true[best]) == pytest.approx(np.mean(shrunk.means[best]), abs=0.03)
    luckiest = np.argsort(observed)[-100:]
    assert np.mean(true[luckiest]) < 0.3 * np.mean(observed[luckiest])


def test_wrong_arguments_are_rejected() -> None:
    ones = np.ones(2)
    with pytest.raises(ValueError, match="one value per strategy"):
        shrink(np.ones(3, np.int64), ones, ones)
    with pytest.raises(ValueError, match="negative"):
        shrink(np.array([1, -1]), ones, ones)
    with pytest.raises(ValueError, match="negative"):
        shrink(np.array([1, 1]), ones, -ones)
