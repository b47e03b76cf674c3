import math
from dataclasses import asdict
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.market.events import GENERATION, NO_TOKEN, NS_PER_S, REBALANCE
from memesnipe.market.record_rules import FUTURE, JUMP, MALFORMED, OUT_OF_ORDER
from memesnipe.market.sequencer import MAX_FUTURE_NS, MAX_JUMP_NS, Sequencer
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


@given(STEPS)
def test_rejection_foretells_what_stamp_does_and_changes_nothing(steps: list[tuple[float, str | None, bool]]) -> None:
    sequencer = _sequencer()
    for message in [*_raw(steps), _raw(steps)[0], {"kind": "nonsense"}, None]:
        before = asdict(sequencer)
        foretold = sequencer.rejection(message, 0)
        assert asdict(sequencer) == before
        _, rejected = sequencer.stamp([message])
        assert [(r.reason, r.category) for r in rejected] == (
            [(foretold.reason, foretold.category)] if foretold else []
        )


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


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS_OF_A_TRADE = sorted(price_message(1, "A", "buy", CURVE, 1, 1))
# No field of a trade can hold any of these.
UNFIT: st.SearchStrategy[Any] = st.sampled_from(
    [None, math.nan, -math.inf, [], {}, [[]], True, 10**400, 10**5000, -1, -1e300]
)
UNFIT_MINTS = st.sampled_from(["", " ", "with space", "nul\0", "\ud800", "so long" * 20, "new\nline", "ünicode"])


@st.composite
def poison(draw: st.DrawFn) -> Any:
    """What is no event: any JSON, or an event of which a field was lost or ruined."""
    if draw(st.booleans()):
        return draw(JSON_LIKE)
    at_s, mint = draw(st.floats(0, 200)), draw(st.sampled_from(["A", None]))
    message = _raw([(at_s, mint, False)])[0]
    if draw(st.booleans()):
        return message | {"ts": draw(st.integers(2**62 + 1, 2**63 - 1))}
    if mint is None:
        return message | {"sol_usd": draw(UNFIT)}
    name = draw(st.sampled_from(FIELDS_OF_A_TRADE))
    # These may be below zero, or as large as they like.
    if name in ("liquidity_usd", "real_sol_lamports", "real_token_raw") or draw(st.booleans()):
        del message[name]
        return message
    return message | {name: draw(UNFIT_MINTS if name == "mint" else UNFIT)}


@given(STEPS, st.data())
def test_whatever_comes_between_the_good_events_they_become_the_same(
    steps: list[tuple[float, str | None, bool]], data: st.DataObject
) -> None:
    good = [message for message, (_, _, bad) in zip(_raw(steps), steps, strict=True) if not bad]
    mixed: list[Any] = []
    for message in good:
        mixed += [*data.draw(st.lists(poison(), max_size=3)), message]
    mixed += data.draw(st.lists(poison(), max_size=3))
    now_ns = data.draw(st.sampled_from([None, START_TS + 100_000 * NS_PER_S]))
    expected, none = _sequencer().stamp(good, now_ns=now_ns)
    sequencer = _sequencer()
    for i in range(len(mixed)):
        sequencer.decides(mixed[: i + 1])
    events, rejected = sequencer.stamp(mixed, now_ns=now_ns)
    assert not none
    assert events.tobytes() == expected.tobytes()
    assert sequencer.mints == list(dict.fromkeys(m["mint"] for m in good if "mint" in m))
    assert [mixed[r.index] is r.raw for r in rejected] == [True] * (len(mixed) - len(good))
    for r in rejected:
        assert r.reason
        for text in (r.reason, r.text):
            assert "\0" not in text.encode().decode()  # PostgreSQL takes it
            assert len(text) <= 2_000


@given(st.lists(poison() | st.builds(lambda at_s: price_message(at_s, "A", "buy", CURVE, 1, 1), st.floats(0, 900))))
def test_who_stops_where_it_decides_is_not_misled_by_poison(raw: list[Any]) -> None:
    sequencer, start = _sequencer(), 0
    while start < len(raw):
        stop = start + 1
        while stop < len(raw) and not sequencer.decides(raw[start:stop]):
            stop += 1
        events, _ = sequencer.stamp(raw[start:stop])
        assert not events["flags"][:-1].any()
        start = stop


def test_lists_in_lists_in_lists_are_put_aside() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for raw in (deep, {"kind": deep}, Market().trade(1).raw[0] | {"ts": deep}):
        events, rejected = _sequencer().stamp([raw])
        assert not len(events)
        assert rejected[0].text.endswith("cannot be shown")


@pytest.mark.parametrize("kind", ["depth", "funding", "onchain"])
def test_what_concerns_one_token_needs_one_but_it_need_not_have_been_traded(kind: str) -> None:
    fields = {
        "depth": {"change_usd": 1.0, "liquidity_usd": 1.0},
        "funding": {"rate": 0.0, "mark_usd": 1.0},
        "onchain": {"amount_usd": 0.0, "holders": 1, "action": 1},
    }
    told = {"kind": kind, "ts": START_TS, "venue": "", "side": "", "slot": 0, "sol_usd": 0.0, **fields[kind]}
    sequencer = _sequencer()
    events, rejected = sequencer.stamp([told, told | {"mint": ""}, told | {"mint": "unborn"}])
    assert [r.category for r in rejected] == [MALFORMED, MALFORMED]
    assert "mint" in rejected[0].reason
    assert events["token"].tolist() == [0]
    assert sequencer.mints == ["unborn"]


@pytest.mark.parametrize("mint", ["A", None])
def test_a_time_that_sums_cannot_hold_is_put_aside_in_a_replay_too(mint: str | None) -> None:
    told = price_message(0, "A", "buy", CURVE, 1, 1) if mint else _raw([(0.0, None, False)])[0]
    events, rejected = _sequencer().stamp([told | {"ts": ts} for ts in (START_TS, 2**62 + 1, 2**63 - 1, START_TS + 1)])
    assert events["ts"].tolist() == [START_TS, START_TS + 1]
    assert [r.category for r in rejected] == [FUTURE, FUTURE]


def test_live_an_event_from_the_future_is_put_aside_and_the_next_good_one_is_not() -> None:
    latest = START_TS + MAX_FUTURE_NS
    raw = [Market().trade(1).raw[0] | {"ts": ts} for ts in (START_TS, latest + 1, START_TS + 1, latest)]
    events, rejected = _sequencer().stamp(raw, now_ns=START_TS)
    assert events["ts"].tolist() == [START_TS, START_TS + 1, latest]
    assert [r.category for r in rejected] == [FUTURE]
    replayed, rejected = _sequencer().stamp(raw)
    assert replayed["ts"].tolist() == [START_TS, latest + 1]
    assert [r.category for r in rejected] == [OUT_OF_ORDER, OUT_OF_ORDER]


def test_live_one_jump_is_put_aside_and_a_second_to_the_same_time_is_the_market_going_on() -> None:
    now = START_TS + 3 * MAX_JUMP_NS
    there = START_TS + 2 * MAX_JUMP_NS
    times = (START_TS, there, START_TS + 1, there, there + NS_PER_S, there + 2 * NS_PER_S)
    events, rejected = _sequencer().stamp([Market().trade(1).raw[0] | {"ts": ts} for ts in times], now_ns=now)
    assert events["ts"].tolist() == [times[0], times[2], times[4], times[5]]
    assert [(r.index, r.category) for r in rejected] == [(1, JUMP), (3, JUMP)]


def test_the_first_event_of_a_run_is_no_jump() -> None:
    events, rejected = _sequencer().stamp(Market().trade(1).raw, now_ns=START_TS + NS_PER_S)
    assert len(events) == 1
    assert not rejected
