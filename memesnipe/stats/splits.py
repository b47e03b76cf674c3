"""Splits of time that keep what is learnt apart from what is judged: purged, embargoed, in the order of time.

Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Span:
    """A span of event time in ns: from its start to just before its stop."""

    start_ts: int
    stop_ts: int


@dataclass(frozen=True, slots=True)
class Fold:
    """What to learn from, and what comes after it to judge by."""

    train: Span
    validation: Span


def holdout(span: Span, share: float, embargo_ns: int) -> tuple[Span, Span]:
    """What a search may see, and the last ``share`` of the time, which it never sees; the embargo lies between.

    Args:
        span: the time to divide.
        share: of the time that stays unseen.
        embargo_ns: taken from the end of what may be seen.

    Raises:
        ValueError: one of them would be empty, or the embargo is negative.
    """
    _not_negative(embargo_ns)
    start = span.stop_ts - int((span.stop_ts - span.start_ts) * share)
    return _solid(Span(span.start_ts, start - embargo_ns)), _solid(Span(start, span.stop_ts))


def walk_forward(span: Span, folds: int, train_share: float, embargo_ns: int, purge_ns: int = 0) -> list[Fold]:
    """Rolling folds: windows of one length, each a validation further on than the one before.

    Args:
        span: the time to use, all of it.
        folds: how many.
        train_share: of a window, before the purge; the embargo is taken from its validation part.
        embargo_ns: between training and validation.
        purge_ns: taken off the end of training, where labels or positions reach into what follows.

    Returns:
        The folds in order of time. Each validation begins one embargo after the one before stops, and the last one
        stops with the span.

    Raises:
        ValueError: the numbers leave a part empty, or one of them makes no sense.
    """
    _not_negative(embargo_ns, purge_ns)
    if folds < 1 or not 0.0 < train_share < 1.0:
        raise ValueError(f"{folds} folds with a train share of {train_share}: need 1 or more, and a share in between")
    length = span.stop_ts - span.start_ts
    # One window is train + validation; the others each add one validation.
    validation_ns = int(length * (1.0 - train_share) / (1.0 + (folds - 1) * (1.0 - train_share)))
    train_ns = length - folds * validation_ns
    found = []
    for fold in range(folds):
        start = span.start_ts + fold * validation_ns
        middle = start + train_ns
        train = _solid(Span(start, middle - purge_ns))
        found.append(Fold(train, _solid(Span(middle + embargo_ns, middle + validation_ns))))
    return found


def purged_kfold(
    starts_ts: NDArray[np.int64], ends_ts: NDArray[np.int64], folds: int, embargo_ns: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Indices to train and to test on, for labels that each span some time.

    Training drops every label that overlaps the time of the test labels, and those that begin within the embargo
    after it.

    Args:
        starts_ts: (labels,) when each begins, ascending.
        ends_ts: (labels,) when each is known, at its start or later; a label that ends as another begins overlaps it.
        folds: consecutive groups of labels, each the test once.
        embargo_ns: after each test group.

    Yields:
        Train and test indices, ascending; a group whose labels reach everywhere leaves nothing to train on.

    Raises:
        ValueError: fewer labels than folds, or labels that are not in order or end before they begin.
    """
    _not_negative(embargo_ns)
    if not 2 <= folds <= len(starts_ts):
        raise ValueError(f"{folds} folds of {len(starts_ts)} labels: need 2 or more, and no more than labels")
    if len(ends_ts) != len(starts_ts) or np.any(np.diff(starts_ts) < 0) or np.any(ends_ts < starts_ts):
        raise ValueError("labels need a start and an end each, in order of their starts, no end before its start")
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


def _solid(span: Span) -> Span:
    if span.stop_ts <= span.start_ts:
        raise ValueError(f"a part of {span.stop_ts - span.start_ts} ns: the time is too short for such a split")
    return span


def _not_negative(*gaps_ns: int) -> None:
    # A negative gap is an overlap, which is what all this is there to prevent.
    if min(gaps_ns) < 0:
        raise ValueError(f"a gap of {min(gaps_ns)} ns: need 0 or more")
