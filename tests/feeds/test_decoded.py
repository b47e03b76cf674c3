"""A feed of decoded payloads: its limit, its end and its tokens; and decoders, which take any payload."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds.base import END, IDLE
from memesnipe.feeds.decoded import DecodedFeed, UnusableError
from memesnipe.feeds.dexscreener import DexScreenerDecoder
from memesnipe.feeds.hyperliquid import HyperliquidDecoder
from memesnipe.feeds.jupiter import JupiterDecoder
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.pyth import SOL_USD_ID, PythDecoder
from memesnipe.feeds.signals import decode_signal
from memesnipe.feeds.sol_price import SOL_MINT
from memesnipe.market.record_rules import error_of
from memesnipe.testing.live_source import ScriptedSource


def test_a_payload_of_many_messages_is_delivered_within_the_limit_and_before_the_end() -> None:
    def decode(payload: Any) -> list[Any]:
        if payload == "bad":
            raise UnusableError("bad")
        return [{"n": n} for n in range(payload)]

    source = ScriptedSource([5, "bad", 0, 2])
    source.end()
    feed = DecodedFeed(LiveFeed("decoded", source), decode)
    feed.open(None)
    found: list[Any] = []
    while (polled := feed.poll(3, 10.0)) is not END:
        assert polled is IDLE or len(polled) <= 3
        found += polled if polled is not IDLE else []
    feed.close()
    assert [event.message["n"] for event in found] == [0, 1, 2, 3, 4, 0, 1]
    assert [event.token["delivered"] for event in found] == [1] * 5 + [4] * 2
    assert feed.statuses() == []


NAMES = ["parsed", "id", "price", SOL_MINT, "usdPrice", "blockId", "kind", "mint", "chainId", "tokenAddress"]
NAMES += ["totalAmount", "universe", "name", "funding", "markPx"]
TEXTS = st.sampled_from(["solana", SOL_USD_ID, "WIF", "kBONK", "social", "0.1", "1e999", ""]) | st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)
DECODERS = {
    "pyth": PythDecoder,
    "jupiter": JupiterDecoder,
    "dexscreener": DexScreenerDecoder,
    "hyperliquid": HyperliquidDecoder,
}


@pytest.mark.parametrize("name", DECODERS)
@given(payloads=st.lists(st.text() | st.binary() | VALUES.map(json.dumps), max_size=3))
def test_any_payload_is_decoded_to_valid_messages_or_rejected(name: str, payloads: list[str | bytes]) -> None:
    decode = DECODERS[name](lambda: 1_793_000_000 * 10**9)
    for payload in payloads:
        try:
            messages = decode(payload)
        except UnusableError:
            continue
        assert [error_of(message) for message in messages] == [None] * len(messages)


@given(st.text() | st.binary() | VALUES.map(json.dumps))
def test_any_line_is_an_object_with_a_time_or_rejected(line: str | bytes) -> None:
    try:
        [message] = decode_signal(line)
    except UnusableError:
        return
    assert "ts" in message


@pytest.mark.parametrize("payload", ["\ud800", "[" * 100_000, '{"a":' * 100_000])
@pytest.mark.parametrize("decode", [*(kind() for kind in DECODERS.values()), decode_signal])
def test_a_payload_that_a_decoder_of_json_cannot_take_is_malformed(decode, payload) -> None:
    with pytest.raises(UnusableError, match="malformed"):
        decode(payload)
