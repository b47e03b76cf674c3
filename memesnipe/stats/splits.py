"""Splits of time into training and validation, in order of time, purged and with an embargo.

Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open span of event time in ns: from start to before stop."""

    start_ts: int
    stop_ts: int


@dataclass(frozen=True, slots=True)
class Fold:
    """A training span and the validation span after it."""

    train: Span
    validation: Span


def holdout(span: Span, share: float, embargo_ns: int) -> tuple[Span, Span]:
    """Split off the last ``share`` of a span as a holdout, with an embargo before it.

    Args:
        span: the span to divide.
        share: share of the time for the holdout.
        embargo_ns: embargo, taken from the end of the first part.

    Raises:
        ValueError: a part would be empty, or the embargo is negative.
    """
    _check_gaps(embargo_ns)
    start = span.stop_ts - int((span.stop_ts - span.start_ts) * share)
    return _non_empty(Span(span.start_ts, start - embargo_ns)), _non_empty(Span(start, span.stop_ts))


def walk_forward(span: Span, folds: int, train_share: float, embargo_ns: int, purge_ns: int = 0) -> list[Fold]:
    """Return rolling folds: windows of equal length, each shifted by one validation span.

    Args:
        span: the span, used completely.
        folds: number of folds.
        train_share: training share of a window, before the purge; the embargo is taken from the validation part.
        embargo_ns: embargo between training and validation.
        purge_ns: removed from the end of training, if labels or positions reach beyond it.

    Returns:
        The folds in order of time. Each validation begins one embargo after the previous one stops, and the last one
        stops at the end of the span.

    Raises:
        ValueError: a part would be empty, or a number is out of range.
    """
    _check_gaps(embargo_ns, purge_ns)
    if folds < 1 or not 0.0 < train_share < 1.0:
        raise ValueError(f"{folds} folds, train share {train_share}: need at least 1 fold and a share between 0 and 1")
    length = span.stop_ts - span.start_ts
    # One window is train + validation; the others each add one validation.
    validation_ns = int(length * (1.0 - train_share) / (1.0 + (folds - 1) * (1.0 - train_share)))
    train_ns = length - folds * validation_ns
    found = []
    for fold in range(folds):
        start = span.start_ts + fold * validation_ns
        middle = start + train_ns
        train = _non_empty(Span(start, middle - purge_ns))
        found.append(Fold(train, _non_empty(Span(middle + embargo_ns, middle + validation_ns))))
    return found


def purged_kfold(
    starts_ts: NDArray[np.int64], ends_ts: NDArray[np.int64], folds: int, embargo_ns: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield training and test indices for labels with a duration.

    Training excludes labels that overlap the time of the test labels or begin within the embargo after it.

    Args:
        starts_ts: start of each label, ascending, shape (labels,).
        ends_ts: end of each label, at or after its start; a label that ends when another begins overlaps it.
        folds: number of consecutive groups of labels, each the test group once.
        embargo_ns: embargo after each test group.

    Yields:
        Training and test indices, ascending; training is empty if the test labels overlap all others.

    Raises:
        ValueError: fewer labels than folds, unordered labels, or labels that end before they begin.
    """
    _check_gaps(embargo_ns)
    if not 2 <= folds <= len(starts_ts):
        raise ValueError(f"{folds} folds of {len(starts_ts)} labels: need at least 2 folds and at most one per label")
    if len(ends_ts) != len(starts_ts) or np.any(np.diff(starts_ts) < 0) or np.any(ends_ts < starts_ts):
        raise ValueError("labels must be sorted by start, with one end each, not before the start")
    return _purged(starts_ts, ends_ts, folds, embargo_ns)


def _purged(
    starts_ts: NDArray[np.int64], ends_ts: NDArray[np.int64], folds: int, embargo_ns: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    everything = np.arange(len(starts_ts))
    for test in np.array_split(everything, folds):
        begin, end = starts_ts[test].min(), ends_ts[test].max()
        before = ends_ts < begin
        after = starts_ts > end + embargo_ns
        yield everything[before | after], test


def _non_empty(span: Span) -> Span:
    if span.stop_ts <= span.start_ts:
        raise ValueError(f"a part has {span.stop_ts - span.start_ts} ns: the span is too short for this split")
    return span


def _check_gaps(*gaps_ns: int) -> None:
    # A negative gap would be an overlap of training and validation.
    if min(gaps_ns) < 0:
        raise ValueError(f"the gap is {min(gaps_ns)} ns: must not be negative")
