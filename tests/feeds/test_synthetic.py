from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.feeds.base import FeedChoice, open_feed
from memesnipe.feeds.synthetic import SyntheticFeed
from memesnipe.market.pools import fee_lamports
from memesnipe.market.sequencer import Sequencer


def _messages(count: int, seed: int = 1, position: int = 0) -> list[dict[str, Any]]:
    return list(islice(SyntheticFeed(seed).messages(position), count))


def test_the_same_seed_gives_the_same_market_and_another_another() -> None:
    assert _messages(500) == _messages(500)
    assert _messages(500) != _messages(500, seed=2)


@settings(max_examples=15)
@given(st.integers(0, 600))
def test_from_any_position_it_goes_on_exactly(position: int) -> None:
    assert _messages(20, position=position) == _messages(position + 20)[position:]


@pytest.mark.parametrize("seed", range(4))
def test_time_never_goes_back_and_every_event_is_a_good_one(seed: int) -> None:
    raw = _messages(2000, seed)
    assert all(a["ts"] <= b["ts"] for a, b in pairwise(raw))
    events, rejected = Sequencer(60, 600).stamp(raw)
    assert not rejected
    assert len(events) == 2000
    assert {m["kind"] for m in raw} == {"price", "social", "sol_price"}


@pytest.mark.parametrize("seed", range(4))
def test_each_trade_leaves_the_pool_that_it_says_it_leaves(seed: int) -> None:
    last: dict[str, dict[str, Any]] = {}
    for m in _messages(2000, seed):
        if m["kind"] != "price":
            continue
        sign = 1 if m["side"] == "buy" else -1
        before = last.get(m["mint"])
        if before is not None:
            for kind, amount in (("sol_lamports", sign * m["sol_lamports"]), ("token_raw", -sign * m["token_raw"])):
                assert m[f"pool_{kind}"] == before[f"pool_{kind}"] + amount
                assert m[f"real_{kind}"] == before[f"real_{kind}"] + amount
        assert m["real_sol_lamports"] >= 0
        assert m["real_token_raw"] >= 0
        assert m["price_usd"] > 0
        assert fee_lamports(m["sol_lamports"], (m["protocol_fee_bps"],)) > 0
        last[m["mint"]] = m
    assert len(last) > 5


def test_a_feed_is_found_by_the_name_and_seed_of_its_choice() -> None:
    choice = FeedChoice("synthetic", 0.0, seed=7)
    assert list(islice(open_feed(choice).messages(0), 50)) == _messages(50, seed=7)
    assert FeedChoice(**choice.to_dict()) == choice
    assert choice.identity == FeedChoice("synthetic", 5.0, seed=7).identity != FeedChoice("synthetic", 0.0).identity
    assert choice.lockstep
    assert not FeedChoice("synthetic", 5.0).lockstep
