"""Funding and marks of perps on Hyperliquid."""

import json
from typing import Any

import pytest

from memesnipe.feeds.base import IDLE
from memesnipe.feeds.decoded import UnusableError
from memesnipe.feeds.hyperliquid import PERPS, HyperliquidDecoder, hyperliquid_feed
from memesnipe.market.record_rules import error_of
from memesnipe.testing.polled_server import PolledServer

NOW_NS = 1_793_000_000 * 10**9


def response(*perps: tuple[str, str | None, str | None], delisted: str = "") -> str:
    """Return a response with perps by name, funding and mark."""
    universe: list[dict[str, Any]] = [{"name": name, "szDecimals": 0, "maxLeverage": 5} for name, _, _ in perps]
    for perp in universe:
        if perp["name"] == delisted:
            perp["isDelisted"] = True
    states = [
        {"funding": funding, "markPx": mark, "openInterest": "1.0", "midPx": None, "impactPxs": None}
        for _, funding, mark in perps
    ]
    return json.dumps([{"universe": universe, "marginTables": []}, states])


def test_known_perps_are_events_of_one_token_each() -> None:
    found = HyperliquidDecoder(lambda: NOW_NS)(
        response(("BTC", "0.0000125", "90000.0"), ("kBONK", "-0.00003", "0.0125"), ("WIF", "0.0000125", "0.41"))
    )
    assert [error_of(message) for message in found] == [None, None]
    assert [(m["mint"], m["rate"], m["ts"]) for m in found] == [
        (PERPS["kBONK"][0], -0.00003, NOW_NS),
        (PERPS["WIF"][0], 0.0000125, NOW_NS),
    ]
    assert [m["mark_usd"] for m in found] == pytest.approx([0.0000125, 0.41]), "kBONK is a thousand BONK"


def test_a_perp_that_is_not_traded_any_more_is_left_out() -> None:
    decode = HyperliquidDecoder(lambda: NOW_NS)
    found = decode(response(("GOAT", "0.0", "0.1"), ("OLD", None, None), ("WIF", "0.0", "0.4"), delisted="GOAT"))
    assert [message["mint"] for message in found] == [PERPS["WIF"][0]]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", "malformed"),
        ("[]", "malformed"),
        ("null", "malformed"),
        (json.dumps([{"universe": [{"name": "WIF"}]}, []]), "malformed"),
        (response(("WIF", "much", "0.4")), "malformed"),
        (response(("WIF", "nan", "0.4")), "implausible"),
        (response(("WIF", "0.0", None)), "implausible"),
        (response(("WIF", "1.5", "0.4")), "implausible"),
        (response(("WIF", "0.0", "0")), "implausible"),
        (response(("WIF", "0.0", "inf")), "implausible"),
        (response(("BTC", "0.0", "1")), "without a known perp"),
        (response(), "without a known perp"),
    ],
)
def test_anything_else_is_rejected_with_a_reason(payload, reason) -> None:
    with pytest.raises(UnusableError) as caught:
        HyperliquidDecoder(lambda: NOW_NS)(payload)
    assert str(caught.value) == reason


def test_the_feed_posts_its_request() -> None:
    with PolledServer() as server:
        server.send(response(("WIF", "0.0", "0.4")))
        feed = hyperliquid_feed(server.url)
        feed.open(None)
        try:
            polled = IDLE
            while polled is IDLE:
                polled = feed.poll(10, 10.0)
        finally:
            feed.close()
        assert [event.message["kind"] for event in polled] == ["funding"]
        assert server.requests[0][0] == "/info"
        assert server.bodies == [b'{"type": "metaAndAssetCtxs"}']
