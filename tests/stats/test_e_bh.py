"""The selection against its definition, tried out on every set size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.e_bh import select

ALPHA = 0.05
# Few different values, so that ties and values at a level are frequent.
E_VALUES = st.lists(
    st.sampled_from([0.0, 0.5, 1.0, 20.0, 50.0, 100.0, 200.0, 1000.0, 1e9]) | st.floats(0, 1e6), max_size=12
)


def _plain(weighted: list[float], alpha: float) -> set[int]:
    """The largest set of the best whose every member has at least 1 / (alpha times the size)."""
    best = sorted(range(len(weighted)), key=lambda i: -weighted[i])
    for size in range(len(best), 0, -1):
        if all(weighted[i] >= 1.0 / (alpha * size) for i in best[:size]):
            return set(best[:size])
    return set()


def _uniform(e_values: list[float]) -> np.ndarray:
    return np.full(len(e_values), 1.0 / max(len(e_values), 1))


@given(E_VALUES, st.data())
def test_the_accepted_set_is_the_largest_consistent_one(e_values: list[float], data: st.DataObject) -> None:
    masses = data.draw(st.lists(st.floats(0.0, 1.0), min_size=len(e_values), max_size=len(e_values)))
    weights = np.array(masses) / max(sum(masses), 1.0)
    selection = select(np.array(e_values), weights, ALPHA)
    accepted = set(np.flatnonzero(selection.accepted).tolist())
    weighted = (weights * np.array(e_values)).tolist()
    assert len(accepted) == len(_plain(weighted, ALPHA))
    assert sorted(weighted[i] for i in accepted) == sorted(weighted[i] for i in _plain(weighted, ALPHA))


@given(E_VALUES.filter(len))
def test_a_strategy_is_accepted_from_its_threshold_on(e_values: list[float]) -> None:
    weights = _uniform(e_values)
    values = np.array(e_values)
    selection = select(values, weights, ALPHA)
    for i, threshold in enumerate(selection.thresholds):
        assert selection.accepted[i] == (values[i] * (1 + 1e-12) >= threshold)
        others = values.copy()
        others[i] = threshold * (1 + 1e-12)
        assert select(others, weights, ALPHA).accepted[i]
        others[i] = threshold * (1 - 1e-9)
        assert not select(others, weights, ALPHA).accepted[i]


@given(E_VALUES, st.integers(1, 20))
def test_candidates_without_evidence_change_nothing_at_given_weights(e_values: list[float], more: int) -> None:
    values, weights = np.array(e_values), np.full(len(e_values), 0.01)
    alone = select(values, weights, ALPHA)
    together = select(np.append(values, np.zeros(more)), np.append(weights, np.full(more, 0.01)), ALPHA)
    assert together.accepted.tolist() == alone.accepted.tolist() + [False] * more
    assert together.thresholds[: len(e_values)].tolist() == alone.thresholds.tolist()


def test_accepted_strategies_lower_the_threshold_of_the_others() -> None:
    weights = np.full(4, 0.25)
    assert select(np.array([1.0, 1.0, 1.0, 1.0]), weights, ALPHA).thresholds.tolist() == [80.0] * 4
    assert select(np.array([1e9, 1.0, 1.0, 1.0]), weights, ALPHA).thresholds.tolist() == [80.0, 40.0, 40.0, 40.0]
    # Neither of two values of 45 is enough alone, and each needs only 40 beside the other.
    selection = select(np.array([45.0, 45.0, 1.0, 1.0]), weights, ALPHA)
    assert selection.accepted.tolist() == [True, True, False, False]
    assert selection.thresholds.tolist() == pytest.approx([40.0, 40.0, 80 / 3, 80 / 3])
    assert select(np.array([45.0, 39.0, 1.0, 1.0]), weights, ALPHA).thresholds[1] == pytest.approx(40.0)


def test_a_weight_of_zero_is_never_accepted() -> None:
    selection = select(np.array([1e300, 1e300]), np.array([0.0, 1.0]), ALPHA)
    assert selection.accepted.tolist() == [False, True]
    assert selection.thresholds[0] == np.inf


def test_no_strategies_are_no_selection() -> None:
    selection = select(np.zeros(0), np.zeros(0), ALPHA)
    assert len(selection.accepted) == len(selection.thresholds) == 0


@pytest.mark.parametrize(
    ("weights", "alpha", "message"),
    [
        ([0.5, 0.6], ALPHA, "in total"),
        ([-0.1, 0.6], ALPHA, "in total"),
        ([np.nan, 0.6], ALPHA, "in total"),
        ([1.0], ALPHA, "one of each"),
        ([0.5, 0.5], 0.0, "alpha"),
        ([0.5, 0.5], 1.0, "alpha"),
    ],
)
def test_wrong_arguments_are_rejected(weights: list[float], alpha: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        select(np.ones(2), np.array(weights), alpha)
