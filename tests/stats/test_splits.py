from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.splits import Span, holdout, purged_kfold, walk_forward


@given(st.integers(0, 10**18), st.integers(10_000, 10**15), st.floats(0.05, 0.9), st.integers(0, 400))
def test_the_holdout_is_at_the_end_after_the_embargo(start: int, length: int, share: float, embargo: int) -> None:
    seen, unseen = holdout(Span(start, start + length), share, embargo)
    assert seen.start_ts == start
    assert unseen.stop_ts == start + length
    assert unseen.start_ts - seen.stop_ts == embargo
    assert unseen.stop_ts - unseen.start_ts == int(length * share)


@given(st.integers(100_000, 10**15), st.integers(1, 8), st.floats(0.2, 0.8), st.integers(0, 500), st.integers(0, 500))
def test_validation_always_follows_training(
    length: int, folds: int, train_share: float, embargo: int, purge: int
) -> None:
    found = walk_forward(Span(7, 7 + length), folds, train_share, embargo, purge)
    assert len(found) == folds
    assert found[0].train.start_ts == 7
    assert abs(found[-1].validation.stop_ts - (7 + length)) <= folds
    for fold in found:
        assert fold.validation.start_ts - fold.train.stop_ts == embargo + purge
        train, validation = (s.stop_ts - s.start_ts for s in (fold.train, fold.validation))
        assert (train + purge) / (train + purge + validation + embargo) == pytest.approx(train_share, abs=1e-2)
    for before, after in pairwise(found):
        assert after.validation.start_ts == before.validation.stop_ts + embargo


@pytest.mark.parametrize(("folds", "share", "embargo"), [(0, 0.5, 0), (1, 1.0, 0), (3, 0.5, 10**6)])
def test_a_split_with_an_empty_part_is_rejected(folds: int, share: float, embargo: int) -> None:
    with pytest.raises(ValueError, match=r"need|too short"):
        walk_forward(Span(0, 1000), folds, share, embargo)


@given(st.integers(0, 2**32), st.integers(2, 6), st.integers(0, 20))
def test_training_labels_never_overlap_the_test(seed: int, folds: int, embargo: int) -> None:
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.integers(0, 1000, 60))
    ends = starts + rng.integers(0, 40, 60)
    tested = []
    for train, test in purged_kfold(starts, ends, folds, embargo):
        begin, end = starts[test].min(), ends[test].max()
        assert not set(train) & set(test)
        assert np.all((ends[train] < begin) | (starts[train] > end + embargo))
        kept = {i for i in range(60) if ends[i] < begin or starts[i] > end + embargo}
        assert set(train) == kept, "and nothing more is dropped"
        tested += test.tolist()
    assert tested == list(range(60))


def test_more_folds_than_labels_are_rejected() -> None:
    with pytest.raises(ValueError, match="labels"):
        list(purged_kfold(np.arange(3), np.arange(3), 4, 0))
