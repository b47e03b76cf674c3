"""The check of whole arrays finds what the sequencer finds in single messages."""

from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from memesnipe.market.events import (
    EVENT,
    FIELDS,
    KIND_NAMES,
    NO_TOKEN,
    NS_PER_S,
    SIDE_NAMES,
    VENUE_NAMES,
    Events,
    empty,
    join,
)
from memesnipe.market.plausible import LAST_TS, OLDEST_TS, RANGES, SOL_USD
from memesnipe.market.record_rules import ASSIGNED_BY_A_RUN, JUMP
from memesnipe.market.sequencer import MAX_FUTURE_NS, Sequencer
from memesnipe.market.validation import validate
from tests.support import START_TS, synthetic_events

MINTS = ["A", "MintB", "unreadable\n", ""]
NOW_NS = START_TS + 1_000 * NS_PER_S
OWN = [name for name in EVENT.names or () if name not in ASSIGNED_BY_A_RUN]


def _good(count: int) -> Events:
    """Valid events of every kind."""
    events = synthetic_events(4_000).copy()
    chosen = np.linspace(0, len(events) - 1, count).astype(int) if count else []
    made = join(*(events[i : i + 1] for i in chosen)) if count else empty(0)
    made["ts"] = START_TS + NS_PER_S * np.arange(count)
    made["token"][made["token"] != NO_TOKEN] %= 2
    return made


def _value(draw: st.DrawFn, name: str) -> Any:
    """Any value that the field can hold, often one at or beside a limit."""
    dtype = EVENT[name]
    least, most = SOL_USD if name == "sol_usd" else RANGES.get(name, (0, 0))
    if dtype.kind == "f":
        near = st.sampled_from([0.0, -0.0, least, most, np.nextafter(least, -np.inf), np.nextafter(most, np.inf)])
        return draw(near | st.floats(width=64))
    info = np.iinfo(dtype)
    near = st.sampled_from([info.min, info.max, 0, 1, 2, 3, *(int(x) + d for x in (least, most) for d in (-1, 0, 1))])
    return min(max(draw(near | st.integers(int(info.min), int(info.max))), info.min), info.max)


@st.composite
def records(draw: st.DrawFn) -> Events:
    """Valid events, some of which have had fields overwritten."""
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


def _told(events: Events) -> list[dict[str, Any]]:
    """The records as messages of a feed, also where a code has no name."""
    told = []
    for event in events:
        kind = int(event["kind"])
        fields = FIELDS.get(kind, ())
        message = {name: event[name].item() for name in fields if name not in ASSIGNED_BY_A_RUN}
        codes = {"kind": KIND_NAMES, "venue": VENUE_NAMES, "side": SIDE_NAMES}
        message |= {n: names.get(int(event[n]), int(event[n])) for n, names in codes.items()}
        told.append(message | ({"mint": MINTS[event["token"]]} if event["token"] != NO_TOKEN else {}))
    return told


@given(records(), st.sampled_from([None, NOW_NS]))
def test_array_and_message_agree_record_by_record(events: Events, now_ns: int | None) -> None:
    found = validate(events, MINTS, now_ns=now_ns, ahead_ns=MAX_FUTURE_NS)
    taken, rejected = Sequencer(60, 600).stamp(_told(events), now_ns=now_ns)
    assume(not any(r.category == JUMP for r in rejected))  # only a live feed has them
    indices = np.flatnonzero(found.is_bad).tolist()
    assert [(r.index, r.category, r.reason) for r in rejected] == [
        (i, found.category(i), found.message(i)) for i in indices
    ]
    assert len(taken) == len(events) - len(indices)
    assert sum(found.counts().values()) == len(indices)
    assert found.first() == ((indices[0], rejected[0].category, rejected[0].reason) if indices else None)
