from itertools import pairwise

import pytest

from memesnipe.errors import InputError
from memesnipe.evolution.spans import cut, search_spans, slices_of, span_of, window_spans
from memesnipe.market.events import NS_PER_S, join
from memesnipe.stats.splits import Span
from tests.support import synthetic_events

HOUR = 3600 * NS_PER_S


def test_segments_are_separated_by_embargoes_and_end_with_the_holdout() -> None:
    spans = search_spans(Span(0, 10 * HOUR))
    parts = (spans.train, spans.validation, spans.holdout)
    assert parts[0].start_ts == 0
    assert parts[2] == Span(7 * HOUR, 10 * HOUR)
    for before, after in pairwise(parts):
        assert after.start_ts - before.stop_ts >= 0.06 * HOUR
    lengths = [part.stop_ts - part.start_ts for part in parts]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.05), "scores of segments are compared"


def test_a_short_tape_is_rejected() -> None:
    with pytest.raises(InputError, match="59 s of events"):
        search_spans(Span(0, 59 * NS_PER_S))


def test_a_window_of_one_event_can_be_divided() -> None:
    train, validation = window_spans(Span(5, 6))
    assert train.start_ts == 5
    assert train.stop_ts <= validation.start_ts < validation.stop_ts


def test_cuts_and_slices_preserve_the_events() -> None:
    events = synthetic_events(1000)
    span = span_of(events)
    assert cut(events, span).tobytes() == events.tobytes()
    middle = int(events["ts"][400])
    first, rest = cut(events, Span(span.start_ts, middle)), cut(events, Span(middle, span.stop_ts))
    assert join(first, rest).tobytes() == events.tobytes()
    assert (first["ts"] < middle).all()
    assert (rest["ts"] >= middle).all()
    parts = list(slices_of(events, 300))
    assert [len(part) for part in parts] == [300, 300, 300, 100]
    assert join(*parts).tobytes() == events.tobytes()
