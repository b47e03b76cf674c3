from typing import Any

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.market.codec import from_messages, to_messages
from memesnipe.market.events import (
    EVENT,
    FIELDS,
    KIND_NAMES,
    NO_TOKEN,
    SIDE_NAMES,
    VENUE_NAMES,
    empty,
)
from memesnipe.market.events import rows as event_rows

MINTS = ["first", "second", "third"]
_OWN = {
    "kind": st.nothing(),
    "venue": st.sampled_from(list(VENUE_NAMES)),
    "side": st.sampled_from(list(SIDE_NAMES)),
    "token": st.sampled_from([NO_TOKEN, 0, 1, 2]),
}


def _values(name: str) -> st.SearchStrategy[Any]:
    assert EVENT.fields
    dtype = EVENT.fields[name][0]
    if name in _OWN:
        return _OWN[name]
    if dtype.kind == "f":
        return st.floats(allow_nan=False, allow_infinity=False)
    return st.integers(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))


@st.composite
def records(draw: st.DrawFn) -> Any:
    kinds = draw(st.lists(st.sampled_from(list(FIELDS)), max_size=4))
    events = empty(len(kinds))
    for i, kind in enumerate(kinds):
        for name in FIELDS[kind]:
            events[i][name] = kind if name == "kind" else draw(_values(name))
    return events


@given(records())
def test_records_survive_messages_and_json_bit_identically(events: Any) -> None:
    written = [orjson.dumps(message) for message in to_messages(events, MINTS)]
    assert from_messages([orjson.loads(line) for line in written]).tobytes() == events.tobytes()


@given(records())
def test_a_message_has_the_fields_of_its_kind_and_its_mint(events: Any) -> None:
    for record, message in zip(events, to_messages(events, MINTS), strict=True):
        assert set(message) - {"mint"} == set(FIELDS[int(record["kind"])])
        assert message["kind"] == KIND_NAMES[int(record["kind"])]
        assert message.get("mint") == (MINTS[record["token"]] if record["token"] != NO_TOKEN else None)


@given(records())
def test_rows_yields_the_records_as_plain_numbers(events: Any) -> None:
    for record, row in zip(events, event_rows(events), strict=True):
        for name in FIELDS[int(record["kind"])]:
            assert getattr(row, name) == record[name].item()
            assert type(getattr(row, name)) in (int, float)
