"""The synthetic market comes back from its frames, in everything that a frame carries."""

from collections import Counter
from itertools import islice
from typing import Any

import pytest

from memesnipe.feeds.pumpfun.decoder import Decoder
from memesnipe.feeds.pumpfun.frames import Notification, parse_frame
from memesnipe.feeds.pumpfun.sentinel import Sentinel
from memesnipe.feeds.pumpfun.translator import Translator
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import CURVE_COMPLETE, HOLDERS, MIGRATION
from memesnipe.market.plausible import LAST_TS
from memesnipe.testing.pumpfun_market import MarketEncoder, carried

MESSAGES = 12_000


@pytest.mark.parametrize("seed", [0, 7])
def test_pools_and_amounts_come_back_to_the_lamport(seed: int) -> None:
    sol_usd = 0.0
    encoder, decoder, sentinel = MarketEncoder(), Decoder(), Sentinel()
    translator = Translator(lambda: sol_usd, lambda: LAST_TS)
    seen: Counter[Any] = Counter()
    for message in islice(SyntheticFeed(seed).messages(0), MESSAGES):
        text, expected = encoder.encode(message), carried(message)
        assert (text is None) == (expected is None)
        if text is None:
            continue
        frame = parse_frame(text)
        assert isinstance(frame, Notification)
        sol_usd = message["sol_usd"]
        transaction = decoder.decode(frame.slot, frame.logs)
        sentinel.observe(transaction)
        found = [m for m in translator.translate(transaction) if m.get("action") != HOLDERS]
        for one in found:
            one.pop("holders", None)
        assert found == [expected]
        seen[message["kind"], message.get("action"), message["venue"], message["side"]] += 1
    assert sum(seen.values()) > MESSAGES / 2
    # Every kind of event occurred.
    for venue in ("pump_curve", "pumpswap"):
        for side in ("buy", "sell"):
            assert seen["price", None, venue, side] > 100
    assert seen["depth", None, "pumpswap", ""] > 10
    assert seen["onchain", CURVE_COMPLETE, "pump_curve", ""] > 0
    assert seen["onchain", MIGRATION, "pumpswap", ""] > 0
    assert not sentinel.is_untrusted, sentinel.message
