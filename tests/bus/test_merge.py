"""Merging must not depend on how the streams were read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.bus.merge import Entry, merge


def entry(stream: str, number: int, seq: int) -> Entry:
    return Entry(stream, number, seq, {})


def test_events_come_first_and_then_streams_in_the_order_they_are_read() -> None:
    read = {
        "fills": [entry("fills", 1, 5)],
        "events:social": [entry("events:social", 5, 5)],
        "events:price": [entry("events:price", 4, 4), entry("events:price", 6, 6)],
        "risk_events": [entry("risk_events", 9, 5)],
    }
    merged = [(e.stream, e.seq) for e in merge(read, limit=100)]
    assert merged == [("events:price", 4), ("events:social", 5), ("fills", 5), ("risk_events", 5), ("events:price", 6)]


def test_no_entry_overtakes_an_unread_one() -> None:
    read = {
        "events:price": [entry("events:price", 1, 1), entry("events:price", 2, 2)],  # full: 3 may be there
        "events:social": [entry("events:social", 4, 4)],
    }
    assert [e.seq for e in merge(read, limit=2)] == [1, 2]


def test_a_full_stream_of_messages_is_released_up_to_the_event_before_its_last() -> None:
    read = {"fills": [entry("fills", 1, 1), entry("fills", 2, 2)], "events:price": [entry("events:price", 2, 2)]}
    assert [(e.stream, e.seq) for e in merge(read, limit=2)] == [("fills", 1)]


def test_more_messages_of_one_event_than_the_read_limit_are_an_error() -> None:
    with pytest.raises(ValueError, match="more than 2 messages"):
        merge({"fills": [entry("fills", 1, 1), entry("fills", 2, 1)]}, limit=2)


@given(st.lists(st.sampled_from(["events:price", "events:social", "events:depth"]), max_size=60), st.integers(2, 7))
def test_the_order_does_not_depend_on_the_size_of_reads(kinds: list[str], limit: int) -> None:
    everything = [entry(stream, seq, seq) for seq, stream in enumerate(kinds, start=1)]
    position, taken = 0, []
    while position < len(everything):
        read = {
            stream: [e for e in everything if e.stream == stream and e.seq > position][:limit]
            for stream in dict.fromkeys(kinds)
        }
        merged = merge({s: entries for s, entries in read.items() if entries}, limit)
        position = merged[-1].seq
        taken += merged
    assert taken == everything
