"""A program that changed is said loudly, and nothing is bought on its events: recorded frames through market_data."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.pumpfun.feed import PumpfunFeed
from memesnipe.feeds.pumpfun.layouts import LAYOUTS, LayoutError
from memesnipe.feeds.pumpfun.programs import PUMP
from memesnipe.feeds.websocket import WebsocketSource
from memesnipe.market.events import NS_PER_S, STALE
from memesnipe.storage.event_log import read_batches
from memesnipe.testing.websocket_server import WebsocketServer
from tests.feeds.pumpfun.recorded import needs_frames, recorded_frames
from tests.roles.conftest import Stage
from tests.roles.test_live_feed import step_until

RECORDED_S = 1_783_165_130
TRADE = bytes.fromhex("bddb7fd34ee661ee")
VIRTUAL_SOL = 8 + 32 + 8 + 8 + 1 + 32 + 8  # the offset of virtual_sol_reserves
DATA = "Program data: "
Change = Callable[[int, bytes], bytes]


def as_recorded(_number: int, data: bytes) -> bytes:
    return data


def with_an_appended_field(_number: int, data: bytes) -> bytes:
    """Add the fields that are known and were not there yet when this was recorded, all zero, and one more."""
    layout = LAYOUTS[PUMP][TRADE]
    while True:
        data += bytes(1)
        with suppress(LayoutError):
            if layout.appended_bytes(data) == 8:
                return data


def with_an_inserted_field(_number: int, data: bytes) -> bytes:
    return data[:8] + bytes(8) + data[8:]


def of_another_name_at_5_percent(number: int, data: bytes) -> bytes:
    return bytes.fromhex("0102030405060708") + data[8:] if number % 18 == 0 else data


def with_other_reserves(_number: int, data: bytes) -> bytes:
    reserves = int.from_bytes(data[VIRTUAL_SOL : VIRTUAL_SOL + 8], "little") * 2
    return data[:VIRTUAL_SOL] + reserves.to_bytes(8, "little") + data[VIRTUAL_SOL + 8 :]


def without_its_last_fields(_number: int, data: bytes) -> bytes:
    return data[:60]


def changed_frames(change: Change) -> list[str]:
    """Return the recorded frames, with the n-th TradeEvent changed."""
    frames, number = [], 0
    for text in recorded_frames():
        frame = json.loads(text)
        value = frame.get("params", {}).get("result", {}).get("value") if isinstance(frame, dict) else None
        for index, line in enumerate(value["logs"] if value else ()):
            data = base64.b64decode(line.removeprefix(DATA)) if line.startswith(DATA) else b""
            if data.startswith(TRADE):
                value["logs"][index] = DATA + base64.b64encode(change(number, data)).decode()
                number += 1
        frames.append(json.dumps(frame))
    return frames


def play(stage: Stage, monkeypatch: pytest.MonkeyPatch, change: Change) -> tuple[list[bool], str, str]:
    """Return which events are stale, the state that the heartbeat reports, and the log."""
    now_ns = RECORDED_S * NS_PER_S
    monkeypatch.setattr("memesnipe.clock.time.time_ns", lambda: now_ns)
    with WebsocketServer() as server:
        frames = changed_frames(change)
        # The recording begins with the answer to its own subscription.
        source = WebsocketSource(server.url, ['{"jsonrpc": "2.0", "id": "ours", "method": "logsSubscribe"}'])
        feed = PumpfunFeed({"node": LiveFeed("node", source)}, lambda: 150.0, lambda: now_ns)
        market = stage.market(feed)
        market._clock._max_age_s = 3_600.0  # the recording is of more than a moment
        market.open()
        server.send(*frames)
        seen = ("transactions", "failed transactions", "subscriptions", "frames not understood")
        step_until(market, lambda: sum(feed.counts().get(name, 0) for name in seen) >= len(frames))
        step_until(market, lambda: feed.poll(1, 0.0) is not None and not market._intake._polled)
        market._asked_at_s = float("-inf")  # the condition of the feed is reported every 50 ms
        market.step()
        state = market.context.activity.slow_state()
    logged = read_batches(stage.context().event_log, 1, market.seq)
    flags = [int(flag) for events in logged for flag in events["flags"]]
    log = (stage.home / "logs" / "market_data.jsonl").read_text()
    return [flag & STALE > 0 for flag in flags], state.detail if state else "", log


@needs_frames
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (with_an_inserted_field, "events are undecodable, mostly TradeEvent of 34 known fields"),
        (of_another_name_at_5_percent, "events are unknown discriminator, mostly discriminator 0102030405060708"),
        (with_other_reserves, "trades that contradict their own reserves"),
        (without_its_last_fields, "events are undecodable, mostly TradeEvent of 34 known fields"),
    ],
)
def test_nothing_is_bought_on_events_of_a_changed_program(stage: Stage, monkeypatch, change, expected) -> None:
    stale, state, log = play(stage, monkeypatch, change)
    assert all(stale[-1:]), "nothing is bought on the last event; of those with shifted fields there may be none"
    assert "feed pumpfun is untrusted and nothing is bought: protocol changed: pump.fun: " in state
    assert expected in state
    assert "feed untrusted; nothing is bought" in log
    assert expected in log


@needs_frames
def test_fields_that_were_appended_are_said_and_the_known_ones_still_used(stage: Stage, monkeypatch) -> None:
    stale, state, log = play(stage, monkeypatch, with_an_appended_field)
    assert not any(stale)
    assert "untrusted" not in state
    warning = "program changed: pump.fun: TradeEvent has more than its 34 known fields: 8 bytes at its end are not read"
    assert "feed is impaired" in log
    assert warning in log


@needs_frames
def test_the_recorded_program_is_not_changed(stage: Stage, monkeypatch) -> None:
    stale, state, log = play(stage, monkeypatch, as_recorded)
    assert not any(stale)
    assert "changed" not in state + log
