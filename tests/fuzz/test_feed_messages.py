"""Messages of feeds: for any message, accepted events are valid and usable everywhere."""

from itertools import islice
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.codec import from_messages, to_messages
from memesnipe.market.events import NS_PER_S
from memesnipe.market.plausible import LAST_TS, OLDEST_TS, RANGES
from memesnipe.market.record_rules import CATEGORIES
from memesnipe.market.sequencer import MAX_FUTURE_NS, MAX_JUMP_NS, Sequencer
from memesnipe.market.validation import validate
from tests.fuzz.framework import JSON_VALUES, fuzz

MESSAGES = list(islice(SyntheticFeed(3).messages(0), 3_000))
FIRST_TS = MESSAGES[0]["ts"]
LIMITS = sorted({bound + d for limits in RANGES.values() for bound in limits for d in (-1, 0, 1)})
TIMES = [FIRST_TS, FIRST_TS + MAX_JUMP_NS + NS_PER_S, FIRST_TS + MAX_FUTURE_NS, LAST_TS, LAST_TS + 1, OLDEST_TS - 1]
VALUES: st.SearchStrategy[Any] = (
    JSON_VALUES
    | st.sampled_from([*LIMITS, *TIMES, 10**400, -(10**5000), 2**63, 2**64, True, "", "buy", "amm", "nul\0", "\ud800"])
    | st.floats()
)


@st.composite
def feed_messages(draw: st.DrawFn) -> Any:
    """Draw an event of the synthetic market, often with changed, missing or added fields; sometimes any JSON."""
    if draw(st.integers(0, 9)) == 0:
        return draw(JSON_VALUES)
    message = dict(draw(st.sampled_from(MESSAGES)))
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*message, "seq", "token", "flags"]) if message else st.just("kind"))
        if draw(st.booleans()):
            message[name] = draw(VALUES)
        else:
            message.pop(name, None)
    return message


@fuzz
@given(st.lists(feed_messages(), max_size=12), st.sampled_from([None, FIRST_TS, FIRST_TS + 10 * MAX_JUMP_NS]))
def test_messages_become_valid_events_or_are_rejected_with_a_reason(raw: list[Any], now_ns: int | None) -> None:
    sequencer = Sequencer(60, 600)
    for message in raw:
        sequencer.rejection(message, 0)
    if raw:
        sequencer.is_decision_due(raw)
    events, rejected = sequencer.stamp(raw, now_ns=now_ns)
    assert len(events) + len(rejected) == len(raw)
    assert not validate(events, sequencer.mints, now_ns=now_ns, ahead_ns=MAX_FUTURE_NS).is_bad.any()
    messages = [orjson.loads(orjson.dumps(message)) for message in to_messages(events, sequencer.mints)]
    assert from_messages(messages).tobytes() == events.tobytes()
    for one in rejected:
        assert one.category in CATEGORIES
        assert one.reason.isprintable()
        assert "\0" not in one.text.encode(errors="strict").decode()
