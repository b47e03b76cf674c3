import math
from dataclasses import asdict
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.market.events import GENERATION, NO_TOKEN, NS_PER_S, REBALANCE
from memesnipe.market.sequencer import Sequencer
from tests.support import CURVE, START_TS, Market, price_message

STEPS = st.lists(
    st.tuples(st.floats(0, 200), st.sampled_from(["A", "B", "C", None]), st.booleans()), min_size=1, max_size=30
)


def _raw(steps: list[tuple[float, str | None, bool]]) -> list[dict[str, Any]]:
    """Events of three tokens and of none; where the last flag is set, one that must be put aside."""
    raw, now = [], 0.0
    for step, mint, bad in steps:
        now += step
        message = price_message(now, mint or "", "buy", CURVE, 1, 1)
        if mint is None:
            message |= {"kind": "sol_price"}
            del message["mint"]
        raw.append(message | ({"sol_usd": math.nan} if bad else {}))
    return raw


def _sequencer() -> Sequencer:
    return Sequencer(60, 300)


@given(STEPS)
def test_good_events_are_numbered_without_gaps_and_tokens_by_first_appearance(
    steps: list[tuple[float, str | None, bool]],
) -> None:
    sequencer = _sequencer()
    events, rejected = sequencer.stamp(_raw(steps))
    good = [mint for _, mint, bad in steps if not bad]
    assert events["seq"].tolist() == list(range(1, len(good) + 1))
    assert len(rejected) == len(steps) - len(good)
    assert sequencer.mints == list(dict.fromkeys(m for m in good if m))
    named = [sequencer.mints[t] if t != NO_TOKEN else None for t in events["token"]]
    assert named == good


@given(STEPS, st.data())
def test_batches_and_restarts_change_nothing(steps: list[tuple[float, str | None, bool]], data: st.DataObject) -> None:
    raw = _raw(steps)
    whole, whole_rejected = _sequencer().stamp(raw)
    sequencer, parts, rejected, start = _sequencer(), [], [], 0
    while start < len(raw):
        stop = start + data.draw(st.integers(1, len(raw)))
        events, aside = sequencer.stamp(raw[start:stop])
        parts.append(events.tobytes())
        rejected += aside
        saved = orjson.loads(orjson.dumps([sequencer.last_seq, sequencer.last_ts, sequencer.mints]))
        sequencer, start = Sequencer(60, 300, *saved), stop
    assert b"".join(parts) == whole.tobytes()
    assert [(r.reason, repr(r.raw)) for r in rejected] == [(r.reason, repr(r.raw)) for r in whole_rejected]


@given(STEPS)
def test_a_decision_falls_due_with_the_first_event_of_each_interval(
    steps: list[tuple[float, str | None, bool]],
) -> None:
    events, _ = _sequencer().stamp(_raw(steps))
    before = None
    for ts, flags in zip(events["ts"].tolist(), events["flags"].tolist(), strict=True):
        generation = before is not None and ts // (300 * NS_PER_S) > before // (300 * NS_PER_S)
        rebalance = before is not None and ts // (60 * NS_PER_S) > before // (60 * NS_PER_S)
        assert bool(flags & GENERATION) == generation
        assert bool(flags & REBALANCE) == (rebalance or generation)
        before = ts


def test_a_generation_is_a_rebalance_too_whatever_the_intervals() -> None:
    events, _ = Sequencer(3600, 10).stamp(Market().trade(1).trade(12).raw)
    assert events["flags"].tolist() == [0, GENERATION | REBALANCE]


def test_the_last_event_of_a_feed_is_a_decision() -> None:
    raw = Market().trade(1).trade(2).raw
    events, _ = _sequencer().stamp(raw, is_last=True)
    assert events["flags"].tolist() == [0, REBALANCE]
    with_bad_end, rejected = _sequencer().stamp([*raw, {"kind": "nonsense"}], is_last=True)
    assert with_bad_end["flags"].tolist() == [0, REBALANCE]
    assert len(rejected) == 1


def test_an_event_from_the_past_is_put_aside_and_takes_no_number() -> None:
    raw = Market().trade(2).trade(1).trade(2).raw
    events, rejected = _sequencer().stamp(raw)
    assert events["seq"].tolist() == [1, 2]
    assert [r.raw for r in rejected] == [raw[1]]
    assert str(raw[1]["ts"]) in rejected[0].reason


def test_a_rejected_event_gives_no_token_an_index() -> None:
    sequencer = _sequencer()
    sequencer.stamp([price_message(1, "bad", "buy", CURVE, 1, 1) | {"price_usd": 0.0}, *Market().trade(2, "good").raw])
    assert asdict(sequencer)["mints"] == ["good"]


@pytest.mark.parametrize(("at_s", "due"), [(59.0, False), (60.0, True), (300.0, True)])
def test_decides_foretells_the_flag(at_s: float, due: bool) -> None:
    sequencer = _sequencer()
    sequencer.stamp(Market().trade(1).raw)
    message = Market().trade(at_s).raw[0]
    assert sequencer.decides([message]) is due
    assert bool(sequencer.stamp([message])[0]["flags"][0]) is due
    assert START_TS % (60 * NS_PER_S) == 0
    assert not sequencer.decides([{}])


@given(STEPS)
def test_who_stops_where_it_decides_never_takes_a_decision_and_more_in_one_batch(
    steps: list[tuple[float, str, bool]],
) -> None:
    """Also in the first batch of a run, when the sequencer has seen no time yet."""
    raw = _raw(steps)
    sequencer = _sequencer()
    start = 0
    while start < len(raw):
        stop = start + 1
        while stop < len(raw) and not sequencer.decides(raw[start:stop]):
            stop += 1
        events, _ = sequencer.stamp(raw[start:stop])
        assert not events["flags"][:-1].any()
        start = stop
