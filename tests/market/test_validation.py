"""Validation of arrays reports the same errors as the sequencer for single messages."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from memesnipe.market.events import (
    EVENT,
    FIELDS,
    KIND_NAMES,
    NO_TOKEN,
    NS_PER_S,
    PRICE,
    SIDE_NAMES,
    SOL_PRICE,
    VENUE_NAMES,
    Events,
    empty,
    join,
    take,
)
from memesnipe.market.plausible import LAST_TS, OLDEST_TS, RANGES, SOL_USD
from memesnipe.market.record_rules import (
    ASSIGNED_BY_A_RUN,
    FUTURE,
    JUMP,
    MALFORMED,
    MAX_AHEAD_NS,
    OUT_OF_ORDER,
    OUT_OF_RANGE,
    TOO_OLD,
)
from memesnipe.market.sequencer import MAX_FUTURE_NS, Sequencer
from memesnipe.market.validation import validate
from memesnipe.testing.labelled_markets import Edge, labelled_market
from tests.support import START_TS, recorded_events, synthetic_events

MINTS = ["A", "MintB", "unreadable\n", ""]
NOW_NS = START_TS + 1_000 * NS_PER_S
OWN = [name for name in EVENT.names or () if name not in ASSIGNED_BY_A_RUN]


def _good(count: int) -> Events:
    """Return valid events of every kind."""
    events = synthetic_events(4_000).copy()
    chosen = np.linspace(0, len(events) - 1, count).astype(int) if count else []
    made = join(*(events[i : i + 1] for i in chosen)) if count else empty(0)
    made["ts"] = START_TS + NS_PER_S * np.arange(count)
    made["token"][made["token"] != NO_TOKEN] %= 2
    return made


def _value(draw: st.DrawFn, name: str) -> Any:
    """Draw any value of the field's type, often at or next to a limit."""
    dtype = EVENT[name]
    minimum, maximum = SOL_USD if name == "sol_usd" else RANGES.get(name, (0, 0))
    if dtype.kind == "f":
        near = st.sampled_from(
            [0.0, -0.0, minimum, maximum, np.nextafter(minimum, -np.inf), np.nextafter(maximum, np.inf)]
        )
        return draw(near | st.floats(width=64))
    info = np.iinfo(dtype)
    near = st.sampled_from(
        [info.min, info.max, 0, 1, 2, 3, *(int(x) + d for x in (minimum, maximum) for d in (-1, 0, 1))]
    )
    return min(max(draw(near | st.integers(int(info.min), int(info.max))), info.min), info.max)


@st.composite
def records(draw: st.DrawFn) -> Events:
    """Draw events, some with overwritten fields."""
    events = _good(draw(st.integers(0, 8)))
    for i in draw(st.lists(st.integers(0, 7), max_size=6)):
        if i < len(events):
            name = draw(st.sampled_from([*OWN, "ts", "token"]))
            times = st.sampled_from(
                [START_TS, OLDEST_TS, OLDEST_TS - 1, LAST_TS, LAST_TS + 1, NOW_NS + MAX_FUTURE_NS, 1_757_782_395, -1]
            )
            own = {"ts": times, "token": st.integers(-1, len(MINTS) - 1)}
            events[i][name] = draw(own[name]) if name in own else _value(draw, name)
    return events


def _messages(events: Events) -> list[dict[str, Any]]:
    """Return the records as messages of a feed, including codes without a name."""
    messages = []
    for event in events:
        kind = int(event["kind"])
        fields = FIELDS.get(kind, ())
        message = {name: event[name].item() for name in fields if name not in ASSIGNED_BY_A_RUN}
        codes = {"kind": KIND_NAMES, "venue": VENUE_NAMES, "side": SIDE_NAMES}
        message |= {n: names.get(int(event[n]), int(event[n])) for n, names in codes.items()}
        messages.append(message | ({"mint": MINTS[event["token"]]} if event["token"] != NO_TOKEN else {}))
    return messages


@given(records(), st.sampled_from([None, NOW_NS]))
def test_validation_agrees_with_the_sequencer(events: Events, now_ns: int | None) -> None:
    found = validate(events, MINTS, now_ns=now_ns, ahead_ns=MAX_FUTURE_NS)
    taken, rejected = Sequencer(60, 600).stamp(_messages(events), now_ns=now_ns)
    assume(not any(r.category == JUMP for r in rejected))  # only in live feeds
    indices = np.flatnonzero(found.is_bad).tolist()
    assert [(r.index, r.category, r.reason) for r in rejected] == [
        (i, found.category(i), found.message(i)) for i in indices
    ]
    assert len(taken) == len(events) - len(indices)
    assert sum(found.counts().values()) == len(indices)
    assert found.first() == ((indices[0], rejected[0].category, rejected[0].reason) if indices else None)


@given(records(), st.integers(0, 8))
def test_validation_in_two_parts_equals_the_whole(events: Events, cut: int) -> None:
    whole = validate(events, MINTS)
    first = validate(events[:cut], MINTS)
    second = validate(events[cut:], MINTS, last_ts=first.last_ts)
    assert [*first.codes, *second.codes] == whole.codes.tolist()
    messages = [part.message(i) for part in (first, second) for i in range(len(part.events))]
    assert messages == [whole.message(i) for i in range(len(events))]
    assert (second.last_ts if len(events) > cut else first.last_ts) == whole.last_ts


def test_a_valid_record_has_no_category_and_message() -> None:
    found = validate(_good(3), MINTS)
    assert (found.counts(), found.first(), found.category(1), found.message(1)) == ({}, None, "", "")
    assert validate(empty(0), []).first() is None


@pytest.mark.parametrize("token", [-2, 4, 2**31 - 1])
@pytest.mark.parametrize("kind", [PRICE, SOL_PRICE])
def test_a_token_without_a_mint_is_named(token: int, kind: int) -> None:
    every = synthetic_events(4_000)
    event = take(every, np.flatnonzero(every["kind"] == kind)[:1])
    event["token"] = token
    assert validate(event, MINTS).first() == (0, MALFORMED, f"token is {token}: there are 4 mints")


def test_late_records_are_out_of_order() -> None:
    events = _good(6)
    events["ts"] = START_TS + np.array([0, 5, 3, 5, 4, 6])
    events[1]["slot"] = 7  # no rule concerns slots
    found = validate(events, MINTS)
    assert np.flatnonzero(found.is_bad).tolist() == [2, 4]
    assert found.counts() == {OUT_OF_ORDER: 2}
    assert found.message(2) == f"ts {START_TS + 3} is before the previous event's {START_TS + 5}"
    assert found.last_ts == START_TS + 6


def test_an_invalid_record_does_not_affect_the_order_of_others() -> None:
    events = _good(4)
    events["ts"][1] += 3_600 * NS_PER_S
    events["sol_usd"][1] = -1.0
    assert validate(events, MINTS).counts() == {OUT_OF_RANGE: 1}


@pytest.mark.parametrize(("unit", "name"), [(1, "s"), (10**3, "ms"), (10**6, "us")])
def test_times_in_another_unit_are_too_old(unit: int, name: str) -> None:
    events = _good(4)
    events["ts"] = events["ts"] // NS_PER_S * unit
    assert validate(events, MINTS).counts() == {TOO_OLD: 4}, name


def test_events_up_to_a_day_after_the_clock_are_valid() -> None:
    events = _good(2)
    first, second = events["ts"].tolist()
    assert validate(events, MINTS, now_ns=second - MAX_AHEAD_NS).first() is None
    assert validate(events, MINTS, now_ns=first - MAX_AHEAD_NS).counts() == {FUTURE: 1}


def test_recorded_synthetic_and_labelled_markets_are_valid() -> None:
    tape = labelled_market(Edge.SOCIAL, 1, hours=0.2)
    assert tape.validate().first() is None
    recorded, synthetic = recorded_events(), synthetic_events(4_000)
    for events in (recorded, synthetic):
        mints = [f"mint{i}" for i in range(int(events["token"].max()) + 1)]
        assert validate(events, mints).first() is None
