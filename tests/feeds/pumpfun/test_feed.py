"""Frames of endpoints become messages of one feed; what is left out is counted, and a changed protocol is loud."""

import json
import time
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.feeds.base import END, IDLE, FeedMessage
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.pumpfun.feed import PumpfunFeed
from memesnipe.market.events import NS_PER_S
from memesnipe.market.sequencer import Sequencer
from memesnipe.testing.live_source import ScriptedSource
from memesnipe.testing.pumpfun_frames import (
    data_line,
    encode_event,
    invocation,
    key_of,
    logs_of,
    notification,
    subscribed,
    transaction_notification,
)
from tests.feeds.pumpfun.chain import CREATE, NOW_NS, SOL_USD, TOKEN, Curve
from tests.feeds.pumpfun.recorded import needs_frames, recorded_frames

SOON_S = 20.0


def the_feed(now_ns: int = NOW_NS, sol_usd: float = SOL_USD, **sources: ScriptedSource) -> PumpfunFeed:
    live = {name: LiveFeed(name, source) for name, source in sources.items()}
    feed = PumpfunFeed(live, lambda: sol_usd, lambda: now_ns)
    feed.open(None)
    return feed


def drain(feed: PumpfunFeed) -> list[FeedMessage]:
    """Return all messages up to the end of the sources."""
    messages: list[FeedMessage] = []
    deadline_s = time.monotonic() + SOON_S
    while (polled := feed.poll(7, 0.1)) is not END:
        assert time.monotonic() < deadline_s
        messages += [] if polled is IDLE else [event.message for event in polled]
    feed.close()
    return messages


def messages_of(*frames: Any, **options: Any) -> tuple[list[FeedMessage], Mapping[str, int]]:
    source = ScriptedSource(frames)
    source.end()
    feed = the_feed(a=source, **options)
    return drain(feed), feed.counts()


def trade_frames(count: int, first_slot: int = 10) -> list[str]:
    curve = Curve()
    return [notification(first_slot + n, f"sig{n}", logs_of([curve.buy(TOKEN)])) for n in range(count)]


@needs_frames
def test_the_recording_becomes_messages_that_the_sequencer_accepts() -> None:
    now_ns = 1_783_165_130 * NS_PER_S
    messages, counts = messages_of(*recorded_frames(), now_ns=now_ns)
    events, rejected = Sequencer(60, 600).stamp(messages, now_ns=now_ns)
    assert rejected == []
    assert len(events) == len(messages)
    assert counts["price messages"] == counts["TradeEvent"] == 93
    assert counts["CreateEvent"] == 19
    assert (counts["failed transactions"], counts["transactions"], counts["subscriptions"]) == (47, 99, 1)


def test_two_endpoints_deliver_each_transaction_once() -> None:
    # Of a coin each: of one coin, a trade that arrives after a later one is put aside.
    trades = [Curve(key_of(f"coin {n}")).buy(TOKEN) for n in range(6)]
    frames = [notification(10 + n, f"sig{n}", logs_of([trade])) for n, trade in enumerate(trades)]
    one, two = ScriptedSource(frames[:4]), ScriptedSource([frames[0], frames[2], frames[5], frames[4]])
    one.end(), two.end()
    feed = the_feed(one=one, two=two)
    messages = drain(feed)
    assert sorted(m["slot"] for m in messages) == [10, 11, 12, 13, 14, 15]
    assert feed.counts()["duplicate transactions"] == 2
    assert feed.statuses() == []


def test_a_transaction_of_helius_counts_once_beside_that_of_a_public_node() -> None:
    curve = Curve()
    trades = [curve.buy(TOKEN) for _ in range(3)]
    public = ScriptedSource([notification(n, f"s{n}", logs_of([trade])) for n, trade in enumerate(trades[:2], 1)])
    cut = [*logs_of([trades[2]])[:5], "Log truncated"]
    theirs = [transaction_notification(n, f"s{n}", logs_of([trade]), [trade]) for n, trade in enumerate(trades[:2], 1)]
    helius = ScriptedSource([*theirs, transaction_notification(3, "s3", cut, [trades[2]])])
    public.end(), helius.end()
    feed = the_feed(public=public, helius=helius)
    messages = drain(feed)
    assert [m["pool_token_raw"] for m in messages] == [trade.virtual_token_reserves for trade in trades]
    assert feed.counts()["duplicate transactions"] == 2
    assert "truncated logs" not in feed.counts()


def test_endpoints_that_disagree_about_a_transaction_are_noticed() -> None:
    curve = Curve()
    first, other = curve.buy(TOKEN), curve.buy(TOKEN)
    one, two = ScriptedSource([notification(1, "s", logs_of([first]))]), ScriptedSource()
    feed = the_feed(one=one, two=two)
    deadline_s = time.monotonic() + SOON_S
    while feed.poll(5, 0.1) is IDLE:
        assert time.monotonic() < deadline_s
    two.deliver(notification(1, "s", [*logs_of([first])[:4], "Log truncated"]))
    while feed.counts().get("duplicate transactions", 0) < 1:
        assert time.monotonic() < deadline_s
        assert feed.poll(5, 0.1) is IDLE
    assert feed.statuses()[-1].warning == "", "a cut copy contradicts nothing"
    two.deliver(notification(1, "s", logs_of([other])))
    while feed.counts().get("duplicate transactions", 0) < 2:
        assert time.monotonic() < deadline_s
        assert feed.poll(5, 0.1) is IDLE
    reading = feed.statuses()[-1]
    assert reading.warning == "endpoints report other events of the same transaction; the first report is used"
    assert reading.rejected == {"copies that differ between endpoints": 1}
    feed.close()


def test_a_message_arrives_while_the_sources_stay_open() -> None:
    source = ScriptedSource([subscribed(1), *trade_frames(1)])
    feed = the_feed(a=source, b=ScriptedSource())
    deadline_s = time.monotonic() + SOON_S
    while (polled := feed.poll(5, 0.1)) is IDLE:
        assert time.monotonic() < deadline_s
    assert polled is not END
    assert [(event.message["kind"], event.token) for event in polled] == [("price", None)]
    assert feed.poll(5, 0.0) is IDLE
    assert [status.name for status in feed.statuses()] == ["a", "b", "pumpfun"]
    feed.close()


def test_a_failed_transaction_means_nothing() -> None:
    (frame,) = trade_frames(1)
    failed = json.loads(frame)
    failed["params"]["result"]["value"]["err"] = {"InstructionError": [3, {"Custom": 6002}]}
    messages, counts = messages_of(json.dumps(failed))
    assert messages == []
    assert counts["failed transactions"] == 1


def test_a_refused_subscription_is_the_error_of_its_endpoint() -> None:
    refused = {"jsonrpc": "2.0", "id": 2, "error": {"code": -32601, "message": "Method not found"}}
    feed = the_feed(a=ScriptedSource([json.dumps(refused), *trade_frames(1)]))
    deadline_s = time.monotonic() + SOON_S
    while feed.poll(5, 0.1) is IDLE:
        assert time.monotonic() < deadline_s
    errors = {status.name: status.error for status in feed.statuses()}
    assert errors == {"a": "the node refused request 2: -32601 Method not found", "pumpfun": ""}
    assert feed.counts()["refused requests"] == 1
    feed.close()


def test_an_unknown_price_of_sol_is_reported() -> None:
    feed = the_feed(sol_usd=0.0, a=ScriptedSource(trade_frames(1)))
    deadline_s = time.monotonic() + SOON_S
    while not feed.counts().get("price of SOL unknown"):
        assert time.monotonic() < deadline_s
        assert feed.poll(5, 0.1) is IDLE
    assert feed.statuses()[-1].error == "the price of SOL is unknown, so trades are put aside"
    feed.close()


def test_a_changed_protocol_is_untrusted_and_says_what_changed() -> None:
    event = bytes.fromhex("0102030405060708") + encode_event(CREATE)[8:]
    frames = [notification(n, f"renamed{n}", invocation_of(event)) for n in range(50)]
    source = ScriptedSource([*frames, *trade_frames(1, first_slot=100)])
    feed = the_feed(a=source)
    deadline_s = time.monotonic() + SOON_S
    while feed.poll(5, 0.1) is IDLE:
        assert time.monotonic() < deadline_s
    (status,) = [status for status in feed.statuses() if status.is_untrusted]
    assert status.name == "pumpfun"
    assert status.error.startswith("protocol changed: pump.fun: 50 of the last 51 events are unknown discriminator")
    feed.close()


def invocation_of(data: bytes) -> list[str]:
    from memesnipe.feeds.pumpfun.programs import PUMP

    return invocation(PUMP, [data_line(data)])


FRAMES = st.one_of(
    st.text(max_size=50),
    st.none() | st.integers() | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.builds(
        notification,
        st.integers(0, 2**32),
        st.text(max_size=3),
        st.lists(st.text(max_size=20) | st.sampled_from(logs_of([CREATE, Curve().buy(TOKEN)])), max_size=8),
    ),
    st.sampled_from(trade_frames(3)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(FRAMES, max_size=10))
def test_no_frame_raises_and_every_frame_is_counted(frames) -> None:
    messages, counts = messages_of(*frames)
    seen = ("transactions", "failed transactions", "subscriptions", "refused requests", "frames not understood")
    assert sum(counts.get(name, 0) for name in seen) == len(frames)
    assert len(messages) == sum(n for name, n in counts.items() if name.endswith(" messages"))


def test_a_reconnection_is_a_gap() -> None:
    source = ScriptedSource(trade_frames(1))
    feed = the_feed(a=source)
    while not feed._sentinel._last:
        feed.poll(1, 0.1)
    source.fail(ConnectionError("lost"))
    deadline_s = time.monotonic() + SOON_S
    while feed._sentinel._last:
        assert time.monotonic() < deadline_s
        feed.poll(1, 0.1)
    feed.close()
