"""Boosts and profiles on DexScreener as mentions of a token."""

import json
from pathlib import Path
from typing import Any

import pytest

from memesnipe.feeds import dexscreener
from memesnipe.feeds.base import IDLE
from memesnipe.feeds.decoded import UnusableError
from memesnipe.feeds.dexscreener import DexScreenerDecoder, dexscreener_feed
from memesnipe.market.record_rules import error_of
from memesnipe.testing.polled_server import PolledServer

RECORDED = Path(__file__).parents[3] / "shared/data/wire/dexscreener"
NOW_NS = 1_793_000_000 * 10**9


def boost(mint: str, total: float, chain: str = "solana") -> dict[str, Any]:
    return {"url": "u", "chainId": chain, "tokenAddress": mint, "amount": 10, "totalAmount": total}


def profile(mint: str, updated: str, chain: str = "solana") -> dict[str, Any]:
    return {"url": "u", "chainId": chain, "tokenAddress": mint, "cto": False, "updatedAt": updated}


def mentions(decode: DexScreenerDecoder, *entries: dict[str, Any]) -> dict[str, float]:
    messages = decode(json.dumps(entries))
    assert [error_of(message) for message in messages] == [None] * len(messages)
    assert {message["ts"] for message in messages} <= {NOW_NS}
    return {message["mint"]: message["mentions"] for message in messages}


def test_only_what_a_boost_adds_is_new() -> None:
    decode = DexScreenerDecoder(lambda: NOW_NS)
    assert mentions(decode, boost("MintA", 30), boost("MintB", 10)) == {}, "it was there before"
    assert mentions(decode, boost("MintA", 30), boost("MintB", 10)) == {}
    assert mentions(decode, boost("MintA", 80), boost("MintC", 10), boost("0xD", 10, "ethereum")) == {
        "MintA": 50,
        "MintC": 10,
    }
    assert mentions(decode, boost("MintA", 20)) == {}, "a boost has ended"
    assert mentions(decode, boost("MintA", 30)) == {"MintA": 10}


def test_a_new_or_changed_profile_is_one_mention() -> None:
    decode = DexScreenerDecoder(lambda: NOW_NS)
    assert mentions(decode) == {}
    assert mentions(decode, profile("MintA", "2026-07-03T15:04:36.207Z")) == {"MintA": 1}
    assert mentions(decode, profile("MintA", "2026-07-03T15:04:36.207Z")) == {}
    assert mentions(decode, profile("MintA", "2026-07-03T15:09:00.000Z")) == {"MintA": 1}


@pytest.mark.parametrize("payload", ["", "{}", "[1]", '[{"chainId": "solana"}]', json.dumps([boost("", 1)]), b"\xff"])
def test_anything_else_is_rejected(payload) -> None:
    with pytest.raises(UnusableError, match="malformed"):
        DexScreenerDecoder(lambda: NOW_NS)(payload)


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dexscreener, "MAX_KNOWN", 2)
    decode = DexScreenerDecoder(lambda: NOW_NS)
    mentions(decode, boost("MintA", 1), boost("MintB", 1), boost("MintC", 1))
    assert list(decode._known) == ["MintB", "MintC"]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded responses are not here")
@pytest.mark.parametrize("name", ["boosts_latest", "profiles_latest"])
def test_recorded_responses_are_decoded(name) -> None:
    body = json.loads((RECORDED / f"{name}.json").read_text())["body"]
    decode = DexScreenerDecoder(lambda: NOW_NS)
    decode("[]")
    found = mentions(decode, *body)
    assert set(found) == {one["tokenAddress"] for one in body if one["chainId"] == "solana"}
    assert len(found) > 5


def test_the_feed_asks_for_both_and_merges_them() -> None:
    with PolledServer() as server:
        feed = dexscreener_feed(server.url, 0.01)
        feed.open(None)
        try:
            server.send("[]", "[]", *[json.dumps([boost(f"Mint{n}", 10)]) for n in range(8)])
            found: list[Any] = []
            while len(found) < 6:
                polled = feed.poll(10, 5.0)
                found += polled if polled is not IDLE else []
        finally:
            feed.close()
        assert {event.message["kind"] for event in found} == {"social"}
        assert {path for path, _ in server.requests} == {"/token-boosts/latest/v1", "/token-profiles/latest/v1"}
        assert [status.name for status in feed.statuses()] == ["dexscreener boosts", "dexscreener profiles"]
