"""Which live feeds are made from a choice, and what they connect to."""

import gc
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from memesnipe.errors import InputError
from memesnipe.feeds.base import IDLE
from memesnipe.feeds.choice import FEED_NAMES, LIVE_FEEDS, FeedChoice, first_ts_of, make_feed
from memesnipe.feeds.endpoints import Endpoints
from memesnipe.feeds.live_choice import (
    PUMP_PROGRAM,
    PUMPSWAP_PROGRAM,
    helius_feed,
    make_live_feeds,
    websocket_feeds,
    with_sol_price,
)
from memesnipe.testing.websocket_server import WebsocketServer
from tests.feeds.harness import wait_until

NOWHERE = (*("http://127.0.0.1:9",) * 5, "ws://127.0.0.1:9/")
ENDPOINTS = Endpoints(("ws://127.0.0.1:9/?api-key=hunter2",), *NOWHERE)
WITH_KEY = Endpoints(("ws://127.0.0.1:9",), *NOWHERE, "hunter3", "hunter4")


@pytest.mark.parametrize(
    ("names", "endpoints", "expected"),
    [
        (["pumpfun"], ENDPOINTS, ["jupiter", "pumpfun"]),
        (["pumpfun"], WITH_KEY, ["pyth", "pumpfun"]),
        (["pumpfun", "jupiter"], WITH_KEY, ["pumpfun", "jupiter"]),
        (["helius"], ENDPOINTS, ["jupiter", "helius"]),
        (["pyth", "pumpfun"], ENDPOINTS, ["pyth", "pumpfun"]),
        (["pyth"], ENDPOINTS, ["pyth"]),
    ],
)
def test_a_feed_in_sol_is_accompanied_by_a_price_of_sol(names, endpoints, expected) -> None:
    assert with_sol_price(names, endpoints) == expected


@pytest.mark.parametrize("name", ["pyth", "jupiter", "pyth,jupiter", "dexscreener", "hyperliquid"])
def test_feeds_of_prices_are_live_and_have_no_speed_of_their_own(name) -> None:
    choice = FeedChoice(name, 1.0)
    feed = make_feed(choice, endpoints=ENDPOINTS)
    assert feed.live
    assert feed.total is None
    assert choice.live
    assert not choice.lockstep
    assert first_ts_of(choice) is None
    assert choice.identity == FeedChoice(name, 1.0, seed=5).identity == name


def test_no_key_is_in_the_text_of_endpoints() -> None:
    assert "hunter" not in repr(ENDPOINTS) + str(WITH_KEY)


def test_signals_need_their_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--feed signals: SIGNALS_FILE is not set"):
        make_feed(FeedChoice("signals", 1.0), endpoints=ENDPOINTS)
    with pytest.raises(InputError, match=r"SIGNALS_FILE is .*none: no such file"):
        make_feed(FeedChoice("signals", 1.0), endpoints=replace(ENDPOINTS, signals_file=tmp_path / "none"))
    (tmp_path / "mine").touch()
    assert make_feed(FeedChoice("signals", 1.0), endpoints=replace(ENDPOINTS, signals_file=tmp_path / "mine")).live


def test_the_webhook_needs_its_token_and_stores_what_it_accepts_with_the_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--feed webhook: WEBHOOK_TOKEN_FILE is not set"):
        make_live_feeds(["webhook"], ENDPOINTS)
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("x" * 16)
    endpoints = replace(ENDPOINTS, webhook_token_file=token)
    with_run = make_live_feeds(["webhook"], endpoints, tmp_path / "run" / "state")["webhook"]
    assert with_run.source._lines._path == tmp_path / "run" / "webhook.jsonl"  # type: ignore[attr-defined]
    without = make_live_feeds(["webhook"], endpoints)["webhook"]
    folder = without.source._lines._path.parent  # type: ignore[attr-defined]
    assert folder.is_dir()
    del without
    gc.collect()
    assert not folder.exists()


def test_a_recorded_feed_is_not_chosen_with_a_live_one() -> None:
    with pytest.raises(InputError, match="synthetic is not live, and the others are"):
        make_feed(FeedChoice("synthetic,jupiter", 1.0), endpoints=ENDPOINTS)
    assert set(LIVE_FEEDS) < set(FEED_NAMES)


def test_every_websocket_subscribes_to_pump_fun_and_pumpswap() -> None:
    with WebsocketServer() as first, WebsocketServer() as second:
        feeds = websocket_feeds(Endpoints((f"{first.url}?api-key=hunter5", second.url), *NOWHERE))
        assert list(feeds) == ["127.0.0.1", "127.0.0.1#2"]
        for feed in feeds.values():
            feed.open(None)
        try:
            for server in (first, second):
                wait_until(lambda s=server: s.requests and len(s.requests[0]) == 2)
                asked = [json.loads(request) for request in server.requests[0]]
                assert [one["method"] for one in asked] == ["logsSubscribe"] * 2
                assert [one["params"][0]["mentions"] for one in asked] == [[PUMP_PROGRAM], [PUMPSWAP_PROGRAM]]
            assert "hunter5" not in "".join(repr(feed.statuses()) for feed in feeds.values())
        finally:
            for feed in feeds.values():
                feed.close()


def test_helius_is_asked_for_both_programs_at_once_and_its_key_is_shown_nowhere() -> None:
    key = "hunter6/&?"
    with WebsocketServer() as server:
        feed = helius_feed(replace(ENDPOINTS, helius_ws_url=server.url, helius_api_key=key))
        feed.open(None)
        try:
            wait_until(lambda: server.requests and server.requests[0])
            asked = json.loads(server.requests[0][0])
            wanted, options = asked["params"]
            assert asked["method"] == "transactionSubscribe"
            assert wanted == {"accountInclude": [PUMP_PROGRAM, PUMPSWAP_PROGRAM], "vote": False, "failed": False}
            assert (options["commitment"], options["transactionDetails"]) == ("confirmed", "full")
            wait_until(lambda: feed.statuses()[0].connections == 1)
            server.subscription_error = {"code": -32401, "message": f"no such key: {key}"}
            server.cut()
            wait_until(lambda: feed.poll(1, 0.01) is IDLE and "refused" in feed.statuses()[0].error)
            assert "hunter6" not in repr(feed.statuses())
            assert len(server.requests) > 1, "it has subscribed again"
        finally:
            feed.close()


@pytest.mark.parametrize(
    ("name", "setting"), [("helius", "HELIUS_API_KEY"), ("farcaster", "NEYNAR_API_KEY"), ("x", "X_BEARER_TOKEN")]
)
def test_a_feed_without_its_key_is_refused(name, setting) -> None:
    with pytest.raises(InputError, match=f"--feed {name}: {setting} is not set"):
        make_live_feeds([name], ENDPOINTS)


def test_social_feeds_know_the_cashtags_of_the_user_too() -> None:
    endpoints = replace(ENDPOINTS, neynar_api_key="k", x_bearer_token="k", cashtags={"MINE": "M" * 40})
    feeds = make_live_feeds(["farcaster", "x"], endpoints)
    for feed in feeds.values():
        decode = feed._decode  # type: ignore[attr-defined]
        mentions = getattr(decode, "mentions", None) or decode._mentions
        assert mentions.cashtags["MINE"] == "M" * 40
        assert "BONK" in mentions.cashtags


@pytest.mark.parametrize(
    ("names", "made", "sources"),
    [
        (["helius"], ["jupiter", "helius"], ["helius"]),
        (["pumpfun", "helius"], ["jupiter", "pumpfun"], ["127.0.0.1", "helius"]),
        (["helius", "jupiter", "pumpfun"], ["helius", "jupiter"], ["127.0.0.1", "helius"]),
    ],
)
def test_helius_and_public_websockets_are_endpoints_of_one_feed(names, made, sources) -> None:
    feeds = make_live_feeds(names, replace(ENDPOINTS, helius_api_key="k"))
    assert list(feeds) == made
    [pumpfun] = [feed for name, feed in feeds.items() if name in ("pumpfun", "helius")]
    assert [endpoint.name for endpoint in pumpfun._endpoints] == sources  # type: ignore[attr-defined]


def test_pump_fun_gets_the_websockets_and_the_last_price_of_sol(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The feed is written separately: this is what it is called with."""
    made: dict[str, Any] = {}

    class Feed:
        live, total, assumptions = True, None, {}

        def __init__(self, sources: Any, sol_usd: Any, **options: Any) -> None:
            made.update(sources=sources, sol_usd=sol_usd, **options)

    module = ModuleType("memesnipe.feeds.pumpfun.feed")
    module.PumpfunFeed = Feed  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "memesnipe.feeds.pumpfun.feed", module)
    feed = make_feed(FeedChoice("pumpfun", 1.0), tmp_path / "state", ENDPOINTS)
    assert feed.live
    assert made["lookups"] is not None
    assert made["saved"] is not None
    assert [one.name for one in feed._inputs] == ["jupiter", "pumpfun"]  # type: ignore[attr-defined]
    assert list(made["sources"]) == ["127.0.0.1"]
    assert made["sol_usd"]() == 0.0
