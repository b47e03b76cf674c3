"""The feed of a local chain starts its market, delivers each of its trades, and ends with it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from memesnipe.feeds.base import END, IDLE, Feed
from memesnipe.feeds.choice import ENDLESS_FEEDS, LIVE_FEEDS, FeedChoice, make_feed
from memesnipe.feeds.endpoints import Endpoints
from memesnipe.localnet.compose import LocalnetOptions, make_node
from memesnipe.localnet.faults import FaultRates
from memesnipe.localnet.markets.tape_trades import TapeTrades
from memesnipe.localnet.node import Node
from memesnipe.market.events import CURVE_COMPLETE, MIGRATION
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from tests.localnet.markets.tapes import POOL, TapeBuilder

SOON_S = 60.0
NOWHERE = ("", "", "", "", "")


def a_tape() -> TapeBuilder:
    builder = TapeBuilder().price(0, 180.0)
    builder.pools["old"] = POOL
    for number in range(20):
        builder.trade(number, "new", number, sol=SOL // 5)
    builder.trade(20, "new", 99, sol=90 * SOL).migrate("new")
    for number in range(21, 30):
        builder.trade(number, "new" if number % 2 else "old", number, sol=SOL)
    return builder


@contextmanager
def opened(builder: TapeBuilder, **faults: float) -> Iterator[tuple[Node, Feed]]:
    rates = FaultRates(**faults)  # type: ignore[arg-type]
    trades = TapeTrades(builder.tape())
    options = LocalnetOptions(int(time.time()), 20, rates=rates, tape=trades, speed=50.0, waits=True)
    with make_node(options) as node:
        endpoints = Endpoints((node.websocket_url,), node.rpc_url, *NOWHERE)
        feed = make_feed(FeedChoice("localnet", 1.0), endpoints=endpoints)
        feed.open(None)
        try:
            yield node, feed
        finally:
            feed.close()


def read(feed: Feed) -> list[dict[str, Any]]:
    """Return all messages until the end."""
    found: list[dict[str, Any]] = []
    deadline_s = time.monotonic() + SOON_S
    while (polled := feed.poll(100, 0.05)) is not END:
        assert time.monotonic() < deadline_s, (len(found), feed.statuses())
        if polled is not IDLE:
            found += [event.message for event in polled]
    assert feed.poll(1, 0.0) is END
    return found


def test_every_trade_of_the_tape_is_read_before_the_end() -> None:
    builder = a_tape()
    with opened(builder) as (node, feed):
        found = read(feed)
        mints = httpx.get(f"{node.rpc_url}/market/mints", trust_env=False).json()
    of_new = [one for one in found if one["kind"] == "price" and one["mint"] == mints["new"]]
    made = [(one["venue"], one["side"]) for one in builder.messages if one["mint"] == "new"]
    assert [(one["venue"], one["side"]) for one in of_new] == made
    assert {one["sol_usd"] for one in found if one["kind"] == "price"} == {180.0}
    assert [one["action"] for one in found if one["kind"] == "onchain"] == [CURVE_COMPLETE, MIGRATION]
    # The pool of the coin in mid-life is asked for at its first trade, and what comes before the answer is put aside.
    assert any(one["mint"] == mints["old"] for one in found if one["kind"] == "price")


def test_the_end_is_found_although_websockets_break() -> None:
    with opened(a_tape(), cut_websockets=0.02) as (node, feed):
        read(feed)
        assert node.plan.counts["cut_websockets"] > 0


def test_a_chain_that_does_not_answer_is_an_error_of_the_feed_and_no_end() -> None:
    with opened(a_tape()) as (node, feed):
        deadline_s = time.monotonic() + SOON_S
        while feed.poll(100, 0.05) is IDLE:
            assert time.monotonic() < deadline_s
        node.__exit__()
        while not any("the local chain does not say" in one.error for one in feed.statuses()):
            assert time.monotonic() < deadline_s
            assert feed.poll(100, 0.05) is not END


def test_it_is_a_feed_that_ends() -> None:
    assert "localnet" in set(LIVE_FEEDS) - set(ENDLESS_FEEDS)
