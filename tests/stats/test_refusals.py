"""Invalid arguments of splits and bootstrap, and their edge cases."""

from collections.abc import Callable

import numpy as np
import pytest

from memesnipe.stats.bootstrap import bootstrap_interval, sharpe_statistic, stationary_indices
from memesnipe.stats.overfitting import block_moments
from memesnipe.stats.splits import Fold, Span, holdout, purged_kfold, walk_forward

SPAN = Span(0, 1000)
LABELS = np.arange(0, 100, 10)


@pytest.mark.parametrize(
    "split",
    [
        lambda: holdout(SPAN, 0.3, -1),
        lambda: walk_forward(SPAN, 2, 0.5, -1),
        lambda: walk_forward(SPAN, 2, 0.5, 0, -1),
        lambda: purged_kfold(LABELS, LABELS, 2, -1),
    ],
)
def test_a_negative_gap_is_rejected(split: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="gap"):
        split()


@pytest.mark.parametrize(("share", "embargo"), [(0.0, 0), (1.0, 0), (1.5, 0), (-0.2, 0), (0.3, 700)])
def test_a_holdout_with_an_empty_part_is_rejected(share: float, embargo: int) -> None:
    with pytest.raises(ValueError, match="too short"):
        holdout(SPAN, share, embargo)


def test_a_purge_of_all_training_is_rejected() -> None:
    with pytest.raises(ValueError, match="too short"):
        walk_forward(SPAN, 1, 0.5, 0, 500)


def test_one_fold_fills_the_span() -> None:
    assert walk_forward(SPAN, 1, 0.75, 10, 5) == [Fold(Span(0, 745), Span(760, 1000))]


def test_folds_are_shifted_by_one_validation() -> None:
    found = walk_forward(Span(0, 400), 3, 0.5, 0)
    assert found == [Fold(Span(i, i + 100), Span(i + 100, i + 200)) for i in (0, 100, 200)]


@pytest.mark.parametrize(
    ("starts", "ends"), [(LABELS[::-1], LABELS[::-1]), (LABELS, LABELS - 1), (LABELS, LABELS[:-1])]
)
def test_invalid_labels_are_rejected_before_iteration(starts: np.ndarray, ends: np.ndarray) -> None:
    with pytest.raises(ValueError, match="labels must"):
        purged_kfold(starts, ends, 2, 0)  # not only at the first fold


def test_long_labels_are_purged_on_both_sides_and_the_embargo_follows() -> None:
    ends = LABELS + 1
    ends[0] = 45  # reaches into the second fold
    ends[5] = 72  # a label of the second fold reaches beyond it
    (_, second, _) = purged_kfold(LABELS[:9], ends[:9], 3, 8)
    assert [part.tolist() for part in second] == [[1, 2], [3, 4, 5]]


def test_blocks_wrap_around_at_the_end() -> None:
    indices = stationary_indices(np.random.default_rng(1), 5, 50, 1e12)
    assert np.all(np.diff(indices, axis=1) % 5 == 1)
    assert set(indices[:, 0]) == set(range(5))


def test_blocks_of_one_are_the_ordinary_bootstrap() -> None:
    indices = stationary_indices(np.random.default_rng(1), 100, 500, 1.0)
    assert np.mean(np.diff(indices, axis=1) % 100 == 1) == pytest.approx(0.01, abs=0.003)
    assert np.bincount(indices.ravel()) == pytest.approx(500, rel=0.2)


@pytest.mark.parametrize(("periods", "samples", "confidence"), [(0, 10, 0.9), (10, 0, 0.9), (10, 10, 1.0)])
def test_an_interval_without_data_is_rejected(periods: int, samples: int, confidence: float) -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="at least 1"):
        bootstrap_interval(
            np.ones(periods), sharpe_statistic, rng, mean_block=1, samples=samples, confidence=confidence
        )


@pytest.mark.parametrize(("confidence", "deviations"), [(0.95, 1.960), (0.8, 1.282)])
def test_the_width_of_an_interval_matches_its_confidence(confidence: float, deviations: float) -> None:
    rng = np.random.default_rng(7)
    returns = rng.normal(0.0, 1.0, 200)
    low, high = bootstrap_interval(
        returns, lambda drawn: drawn.mean(axis=1), rng, mean_block=1.0, samples=4000, confidence=confidence
    )
    error = returns.std() / np.sqrt(200)
    assert (low, high) == pytest.approx(
        (returns.mean() - deviations * error, returns.mean() + deviations * error), abs=0.01
    )


def test_samples_are_drawn_in_small_parts() -> None:
    sizes: list[tuple[int, ...]] = []

    def statistic(samples: np.ndarray) -> np.ndarray:
        sizes.append(samples.shape)
        return samples[:, 0]

    returns = np.arange(300_000.0)
    low, high = bootstrap_interval(returns, statistic, np.random.default_rng(1), mean_block=1.0, samples=10)
    assert sum(rows for rows, _ in sizes) == 10
    assert max(rows * columns for rows, columns in sizes) <= 1 << 20
    assert low < high


@pytest.mark.parametrize("level", [0.0, 0.1, 1e9 / 7, -123_456_789.123])
def test_rounding_errors_of_equal_returns_are_not_a_deviation(level: float) -> None:
    assert sharpe_statistic(np.full((3, 101), level)).tolist() == [0.0, 0.0, 0.0]


def test_one_period_has_no_sharpe_ratio() -> None:
    assert sharpe_statistic(np.array([[0.1], [0.2]])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("periods", "blocks"), [(3, 8), (8, 8), (23, 7), (1000, 16)])
def test_lengths_of_blocks_differ_by_at_most_one_period(periods: int, blocks: int) -> None:
    counts = block_moments(np.ones((2, periods)), blocks)[0, :, 0]
    assert counts.sum() == periods
    assert counts.max() - counts.min() <= 1
    with pytest.raises(ValueError, match="blocks"):
        block_moments(np.ones((2, periods)), 0)
