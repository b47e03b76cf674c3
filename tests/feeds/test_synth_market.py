"""The calibrated market: valid, reproducible whatever is read of it, and every trade executed in an exact pool."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.feeds.synth_market import market as market_module
from memesnipe.feeds.synth_market.edge import Edge
from memesnipe.feeds.synth_market.life import LIFE_S
from memesnipe.feeds.synth_market.market import START_TS, SynthMarket
from memesnipe.market.events import (
    BRIDGE,
    BUY_SIDE,
    CURVE_COMPLETE,
    DEPTH,
    FUNDING,
    MIGRATION,
    NS_PER_S,
    ONCHAIN,
    PRICE,
    PUMP_CURVE,
    PUMPSWAP,
    SOL_PRICE,
    Event,
    Events,
    join,
    rows,
    take,
)
from memesnipe.market.pools import (
    MIGRATION_FEE_LAMPORTS,
    Pool,
    Quote,
    pool_after,
    quote_buy,
    quote_buy_tokens,
    quote_sell,
)
from memesnipe.market.pump import CURVE_START_SOL_LAMPORTS, CURVE_START_TOKEN_RAW, PUMP_SUPPLY_RAW
from memesnipe.market.validation import validate

NEW_CURVE = Pool(
    PUMP_CURVE, CURVE_START_SOL_LAMPORTS, CURVE_START_TOKEN_RAW, 0, 793_100_000_000_000, PUMP_SUPPLY_RAW, 0, 95, 30
)


@pytest.fixture(scope="module")
def market() -> SynthMarket:
    return SynthMarket(seed=5, tokens=6000, hours=6.0)


@pytest.fixture(scope="module")
def events(market: SynthMarket) -> Events:
    return join(*market.windows(1800.0))


def test_every_event_is_valid(market: SynthMarket, events: Events) -> None:
    assert validate(*market.with_mints(events)).counts() == {}
    assert len(events) > 50_000


def test_tokens_are_numbered_in_order_of_appearance(market: SynthMarket, events: Events) -> None:
    of_tokens = events["token"][(events["token"] >= 0) & (events["token"] < market.tokens)]
    _, first = np.unique(of_tokens, return_index=True)
    assert len(first) == market.tokens
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize("window_s", [600.0, 7000.0])
def test_events_do_not_depend_on_the_windows(market: SynthMarket, events: Events, window_s: float) -> None:
    assert join(*market.windows(window_s)).tobytes() == events.tobytes()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 21_600), st.integers(1, 7200))
def test_any_window_is_a_part_of_the_whole(market: SynthMarket, events: Events, start_s: int, length_s: int) -> None:
    start_ts, stop_ts = START_TS + start_s * NS_PER_S, START_TS + (start_s + length_s) * NS_PER_S
    inside = (events["ts"] >= start_ts) & (events["ts"] < stop_ts)
    whole = np.dtype((np.void, events.itemsize))
    assert market.window(start_ts, stop_ts).tobytes() == events.view(whole)[inside].tobytes()


def test_the_size_of_the_working_memory_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = join(*SynthMarket(7, 300, 1.0).windows(3600.0)).tobytes()
    for name in ("_POSITIONS", "_ACTIONS", "_EVENTS"):
        monkeypatch.setattr(market_module, name, 8)
    assert join(*SynthMarket(7, 300, 1.0).windows(3600.0)).tobytes() == expected


def test_seeds_and_edges_differ() -> None:
    first, second = (join(*SynthMarket(seed, 100, 1.0).windows(3600.0)) for seed in (1, 2))
    assert first.tobytes() != second.tobytes()


def test_a_life_is_bounded(market: SynthMarket, events: Events) -> None:
    of_tokens = take(events, (events["token"] >= 0) & (events["token"] < market.tokens))
    age_s = (of_tokens["ts"] - market.launches[of_tokens["token"]]) / NS_PER_S
    assert age_s.min() >= 0.0
    assert age_s.max() <= LIFE_S + 1.0


def test_every_trade_follows_exactly_from_the_pool_before_it(market: SynthMarket, events: Events) -> None:
    pools: dict[int, Pool] = {}
    checked = {PUMP_CURVE: 0, PUMPSWAP: 0}
    for event in rows(events):
        if event.token < 0:
            continue
        pool = pools.get(event.token, NEW_CURVE)
        if event.kind == PRICE:
            if pool.venue:
                _check_trade(event, pool)
                checked[event.venue] += 1
            pools[event.token] = pool_after(event)
        elif event.kind == DEPTH:
            pools[event.token] = Pool(0, 0, 0, 0, 0)  # the raw amounts of a deposit are not part of its event
        elif event.kind == ONCHAIN and event.action == MIGRATION:
            sol = pool.real_sol_lamports - MIGRATION_FEE_LAMPORTS
            pools[event.token] = Pool(PUMPSWAP, sol, 206_900_000_000_000, sol, 206_900_000_000_000, PUMP_SUPPLY_RAW)
        elif event.kind == ONCHAIN and event.action == CURVE_COMPLETE:
            assert pool.real_token_raw == 0
    assert checked[PUMP_CURVE] > 50_000
    assert checked[PUMPSWAP] > 500


def _check_trade(event: Event, before: Pool) -> None:
    """Assert that an event reports a trade which the pool before it executes, with the fees of the event."""
    fees = (event.lp_fee_bps, event.protocol_fee_bps, event.creator_fee_bps)
    pool = Pool(*before[:5], 0, *fees)  # without a supply, the pool charges the given fees
    after = (event.pool_sol_lamports, event.pool_token_raw)
    assert any(_reserves_after(pool, quote, event.side) == after for quote in _quotes(event, pool))


def _quotes(event: Event, pool: Pool) -> Iterator[Quote]:
    if event.side != BUY_SIDE:
        yield quote_sell(pool, event.token_raw)
        return
    yield quote_buy_tokens(pool, event.token_raw)
    # A buy for a budget on PumpSwap moves the whole net budget: the smallest budget with this net amount.
    budget = (
        event.sol_lamports * (10_000 + sum((pool.lp_fee_bps, pool.protocol_fee_bps, pool.creator_fee_bps))) // 10_000
    )
    yield from (quote_buy(pool, budget + more) for more in range(5))


def _reserves_after(pool: Pool, quote: Quote, side: int) -> tuple[int, int]:
    return pool.sol_lamports + side * quote.pool_sol_lamports, pool.token_raw - side * quote.token_raw


def test_the_edge_is_part_of_the_identity() -> None:
    assert SynthMarket(1, 10, 1.0, Edge.SOCIAL).assumptions != SynthMarket(1, 10, 1.0).assumptions


def test_the_whole_market_has_prices_of_sol_bridges_and_funding_of_majors(market: SynthMarket, events: Events) -> None:
    by_kind = {kind: take(events, events["kind"] == kind) for kind in (SOL_PRICE, BRIDGE, FUNDING)}
    assert len(by_kind[SOL_PRICE]) == 6 * 120
    assert len(by_kind[BRIDGE]) > 300
    assert set(by_kind[FUNDING]["token"].tolist()) == {market.tokens, market.tokens + 1, market.tokens + 2}
    rates = by_kind[FUNDING]["rate"]
    assert 1e-5 < np.abs(rates).mean() < 1e-2
    assert rates.min() < 0.0 < rates.max()
