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
    """Return events of three tokens and of none; those with the last flag set must be rejected."""
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
def test_events_are_numbered_without_gaps_and_tokens_by_appearance(
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
def test_batches_and_restarts_do_not_change_the_result(
    steps: list[tuple[float, str | None, bool]], data: st.DataObject
) -> None:
    raw = _raw(steps)
    whole, whole_rejected = _sequencer().stamp(raw)
    sequencer, parts, rejected, start = _sequencer(), [], [], 0
    while start < len(raw):
        stop = start + data.draw(st.integers(1, len(raw)))
        events, newly_rejected = sequencer.stamp(raw[start:stop])
        parts.append(events.tobytes())
        rejected += newly_rejected
        saved = orjson.loads(orjson.dumps([sequencer.last_seq, sequencer.last_ts, sequencer.mints]))
        sequencer, start = Sequencer(60, 300, *saved), stop
    assert b"".join(parts) == whole.tobytes()
    assert [(r.reason, repr(r.raw)) for r in rejected] == [(r.reason, repr(r.raw)) for r in whole_rejected]


@given(STEPS)
def test_a_decision_is_due_at_the_first_event_of_each_interval(
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


def test_a_generation_implies_a_rebalance() -> None:
    events, _ = Sequencer(3600, 10).stamp(Market().trade(1).trade(12).raw)
    assert events["flags"].tolist() == [0, GENERATION | REBALANCE]


@given(STEPS)
def test_rejection_predicts_stamp_without_side_effects(steps: list[tuple[float, str | None, bool]]) -> None:
    sequencer = _sequencer()
    for message in [*_raw(steps), _raw(steps)[0], {"kind": "nonsense"}, None]:
        before = asdict(sequencer)
        predicted = sequencer.rejection(message, 0)
        assert asdict(sequencer) == before
        _, rejected = sequencer.stamp([message])
        assert [(r.reason, r.category) for r in rejected] == (
            [(predicted.reason, predicted.category)] if predicted else []
        )


def test_an_event_from_the_past_is_rejected_without_a_number() -> None:
    raw = Market().trade(2).trade(1).trade(2).raw
    events, rejected = _sequencer().stamp(raw)
    assert events["seq"].tolist() == [1, 2]
    assert [r.raw for r in rejected] == [raw[1]]
    assert str(raw[1]["ts"]) in rejected[0].reason


def test_a_rejected_event_adds_no_token() -> None:
    sequencer = _sequencer()
    sequencer.stamp([price_message(1, "bad", "buy", CURVE, 1, 1) | {"price_usd": 0.0}, *Market().trade(2, "good").raw])
    assert asdict(sequencer)["mints"] == ["good"]


@pytest.mark.parametrize(("at_s", "due"), [(59.0, False), (60.0, True), (300.0, True)])
def test_is_decision_due_predicts_the_flag(at_s: float, due: bool) -> None:
    sequencer = _sequencer()
    sequencer.stamp(Market().trade(1).raw)
    message = Market().trade(at_s).raw[0]
    assert sequencer.is_decision_due([message]) is due
    assert bool(sequencer.stamp([message])[0]["flags"][0]) is due
    assert START_TS % (60 * NS_PER_S) == 0
    assert not sequencer.is_decision_due([{}])


@given(STEPS)
def test_batches_that_end_at_decisions_have_no_decision_inside(
    steps: list[tuple[float, str, bool]],
) -> None:
    """Includes the first batch of a run, before the sequencer has a time."""
    raw = _raw(steps)
    sequencer = _sequencer()
    start = 0
    while start < len(raw):
        stop = start + 1
        while stop < len(raw) and not sequencer.is_decision_due(raw[start:stop]):
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
# Values that are invalid in every field of a trade.
UNFIT: st.SearchStrategy[Any] = st.sampled_from(
    [None, math.nan, -math.inf, [], {}, [[]], True, 10**400, 10**5000, -1, -1e300]
)
UNFIT_MINTS = st.sampled_from(["", " ", "with space", "nul\0", "\ud800", "so long" * 20, "new\nline", "ünicode"])


@st.composite
def invalid_messages(draw: st.DrawFn) -> Any:
    """Draw an invalid message: any JSON, or an event with a missing or invalid field."""
    if draw(st.booleans()):
        return draw(JSON_LIKE)
    at_s, mint = draw(st.floats(0, 200)), draw(st.sampled_from(["A", None]))
    message = _raw([(at_s, mint, False)])[0]
    if draw(st.booleans()):
        return message | {"ts": draw(st.integers(2**62 + 1, 2**63 - 1))}
    if mint is None:
        return message | {"sol_usd": draw(UNFIT)}
    name = draw(st.sampled_from(FIELDS_OF_A_TRADE))
    # These may be negative or arbitrarily large.
    if name in ("liquidity_usd", "real_sol_lamports", "real_token_raw") or draw(st.booleans()):
        del message[name]
        return message
    return message | {name: draw(UNFIT_MINTS if name == "mint" else UNFIT)}


@given(STEPS, st.data())
def test_invalid_messages_do_not_affect_valid_events(
    steps: list[tuple[float, str | None, bool]], data: st.DataObject
) -> None:
    good = [message for message, (_, _, bad) in zip(_raw(steps), steps, strict=True) if not bad]
    mixed: list[Any] = []
    for message in good:
        mixed += [*data.draw(st.lists(invalid_messages(), max_size=3)), message]
    mixed += data.draw(st.lists(invalid_messages(), max_size=3))
    now_ns = data.draw(st.sampled_from([None, START_TS + 100_000 * NS_PER_S]))
    expected, none = _sequencer().stamp(good, now_ns=now_ns)
    sequencer = _sequencer()
    for i in range(len(mixed)):
        sequencer.is_decision_due(mixed[: i + 1])
    events, rejected = sequencer.stamp(mixed, now_ns=now_ns)
    assert not none
    assert events.tobytes() == expected.tobytes()
    assert sequencer.mints == list(dict.fromkeys(m["mint"] for m in good if "mint" in m))
    assert [mixed[r.index] is r.raw for r in rejected] == [True] * (len(mixed) - len(good))
    for r in rejected:
        assert r.reason
        for text in (r.reason, r.text):
            assert "\0" not in text.encode().decode()  # PostgreSQL accepts it
            assert len(text) <= 2_000


@given(
    st.lists(
        invalid_messages() | st.builds(lambda at_s: price_message(at_s, "A", "buy", CURVE, 1, 1), st.floats(0, 900))
    )
)
def test_batches_end_at_decisions_despite_invalid_messages(raw: list[Any]) -> None:
    sequencer, start = _sequencer(), 0
    while start < len(raw):
        stop = start + 1
        while stop < len(raw) and not sequencer.is_decision_due(raw[start:stop]):
            stop += 1
        events, _ = sequencer.stamp(raw[start:stop])
        assert not events["flags"][:-1].any()
        start = stop


def test_deeply_nested_messages_are_rejected() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for raw in (deep, {"kind": deep}, Market().trade(1).raw[0] | {"ts": deep}):
        events, rejected = _sequencer().stamp([raw])
        assert not len(events)
        assert rejected[0].text.endswith("cannot be shown")


@pytest.mark.parametrize("kind", ["depth", "funding", "onchain"])
def test_events_of_one_token_require_a_mint_but_no_trade(kind: str) -> None:
    fields = {
        "depth": {"change_usd": 1.0, "liquidity_usd": 1.0},
        "funding": {"rate": 0.0, "mark_usd": 1.0},
        "onchain": {"amount_usd": 0.0, "holders": 1, "action": 1},
    }
    message = {"kind": kind, "ts": START_TS, "venue": "", "side": "", "slot": 0, "sol_usd": 0.0, **fields[kind]}
    sequencer = _sequencer()
    events, rejected = sequencer.stamp([message, message | {"mint": ""}, message | {"mint": "unborn"}])
    assert [r.category for r in rejected] == [MALFORMED, MALFORMED]
    assert "mint" in rejected[0].reason
    assert events["token"].tolist() == [0]
    assert sequencer.mints == ["unborn"]


@pytest.mark.parametrize("mint", ["A", None])
def test_times_that_could_overflow_are_rejected(mint: str | None) -> None:
    message = price_message(0, "A", "buy", CURVE, 1, 1) if mint else _raw([(0.0, None, False)])[0]
    events, rejected = _sequencer().stamp(
        [message | {"ts": ts} for ts in (START_TS, 2**62 + 1, 2**63 - 1, START_TS + 1)]
    )
    assert events["ts"].tolist() == [START_TS, START_TS + 1]
    assert [r.category for r in rejected] == [FUTURE, FUTURE]


def test_a_live_event_from_the_future_does_not_block_the_next_one() -> None:
    latest = START_TS + MAX_FUTURE_NS
    raw = [Market().trade(1).raw[0] | {"ts": ts} for ts in (START_TS, latest + 1, START_TS + 1, latest)]
    events, rejected = _sequencer().stamp(raw, now_ns=START_TS)
    assert events["ts"].tolist() == [START_TS, START_TS + 1, latest]
    assert [r.category for r in rejected] == [FUTURE]
    replayed, rejected = _sequencer().stamp(raw)
    assert replayed["ts"].tolist() == [START_TS, latest + 1]
    assert [r.category for r in rejected] == [OUT_OF_ORDER, OUT_OF_ORDER]


def test_a_live_jump_is_accepted_only_if_the_next_event_confirms_it() -> None:
    now = START_TS + 3 * MAX_JUMP_NS
    there = START_TS + 2 * MAX_JUMP_NS
    times = (START_TS, there, START_TS + 1, there, there + NS_PER_S, there + 2 * NS_PER_S)
    events, rejected = _sequencer().stamp([Market().trade(1).raw[0] | {"ts": ts} for ts in times], now_ns=now)
    assert events["ts"].tolist() == [times[0], times[2], times[4], times[5]]
    assert [(r.index, r.category) for r in rejected] == [(1, JUMP), (3, JUMP)]


def test_the_first_event_of_a_run_is_not_a_jump() -> None:
    events, rejected = _sequencer().stamp(Market().trade(1).raw, now_ns=START_TS + NS_PER_S)
    assert len(events) == 1
    assert not rejected
