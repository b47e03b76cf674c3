"""The division of a tape into training, validation and holdout segments."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from memesnipe.errors import InputError
from memesnipe.market.events import NS_PER_S, Events
from memesnipe.stats.splits import Span, holdout, walk_forward

HOLDOUT_SHARE: Final = 0.3  # of the time
TRAIN_SHARE: Final = 0.5  # of the rest; as long as validation, so that their scores are comparable
EMBARGO_SHARE: Final = 0.01  # of the time, between two segments (Lopez de Prado 2018, 7.4.2)
MIN_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Spans:
    """The segments of a search, in order of time."""

    train: Span
    validation: Span
    holdout: Span


def search_spans(span: Span) -> Spans:
    """Divide a tape's time into three segments with an embargo between them.

    Every segment begins with fresh strategies without positions, so positions that reach into the next segment need no
    purging.

    Raises:
        InputError: the time is too short.
    """
    seconds = (span.stop_ts - span.start_ts) / NS_PER_S
    if seconds < MIN_S:
        raise InputError(f"has {seconds:.0f} s of events; a search requires at least {MIN_S:.0f} s")
    searched, held_out = holdout(span, HOLDOUT_SHARE, _embargo_ns(span))
    return Spans(*window_spans(searched), held_out)


def window_spans(span: Span) -> tuple[Span, Span]:
    """Divide a window of time into a training and a later validation segment."""
    span = Span(span.start_ts, max(span.stop_ts, span.start_ts + NS_PER_S))  # a window may have a single event
    (fold,) = walk_forward(span, 1, TRAIN_SHARE, _embargo_ns(span))
    return fold.train, fold.validation


def _embargo_ns(span: Span) -> int:
    return int((span.stop_ts - span.start_ts) * EMBARGO_SHARE)


def span_of(events: Events) -> Span:
    """Return the span of one or more events."""
    return Span(int(events["ts"][0]), int(events["ts"][-1]) + 1)


def cut(events: Events, span: Span) -> Events:
    """Return a view of the events in a span."""
    first, stop = np.searchsorted(events["ts"], [span.start_ts, span.stop_ts])
    return events[first:stop]


def slices_of(events: Events, size: int) -> Iterator[Events]:
    """Yield views of the events in slices of at most ``size``."""
    return (events[start : start + size] for start in range(0, len(events), size))
