"""Invariants of all pools, and the equality of the compiled and the plain arithmetic."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numba import njit

from memesnipe.market import pools as arithmetic
from memesnipe.market.events import AMM, PUMP_CURVE, PUMPSWAP, empty, rows
from memesnipe.market.pools import (
    BPS,
    MIGRATION_FEE_LAMPORTS,
    NOTHING,
    POOL,
    Fees,
    Pool,
    fees_of,
    is_open,
    migrated,
    moved,
    pool_after,
    quote_buy,
    quote_buy_tokens,
    quote_sell,
    set_pool,
    share_fee,
    value_of,
)

CURVE_FEES = {"protocol_fee_bps": 95, "creator_fee_bps": 30}
MAX_AMOUNT = 2**60
RESERVES = st.one_of(st.integers(1, 10**4), st.integers(1, 10**13), st.integers(1, MAX_AMOUNT))
AMOUNTS = st.one_of(st.integers(-1, 10**4), st.integers(0, 10**13), st.integers(0, MAX_AMOUNT))
FEES_BPS = st.integers(0, 300)


@st.composite
def pools(draw: st.DrawFn, *venues: int) -> Pool:
    """Return a pool of any size. A curve has no lp fee; PumpSwap's fees are those of its tier if supply is known."""
    venue = draw(st.sampled_from(venues or (PUMP_CURVE, PUMPSWAP, AMM)))
    sol, token = draw(RESERVES), draw(RESERVES)
    virtual_sol, virtual_token = draw(st.integers(0, sol)), draw(st.integers(0, token))
    supply = draw(st.sampled_from([0, 10**15, MAX_AMOUNT]))
    lp = 0 if venue == PUMP_CURVE else draw(FEES_BPS)
    protocol, creator = (0, 0) if venue == AMM else (draw(FEES_BPS), draw(FEES_BPS))
    return Pool(venue, sol, token, sol - virtual_sol, token - virtual_token, supply, lp, protocol, creator)


# The same functions compiled, as in the engine.
QUOTES = ("quote_buy", "quote_buy_tokens", "quote_sell", "value_of")
COMPILED: dict[str, Callable[..., Any]] = {name: njit(getattr(arithmetic, name)) for name in QUOTES}


@njit
def compiled_set(markets: Any, events: Any) -> None:
    set_pool(markets[0], pool_after(events[0]))


compiled_fees_of, compiled_is_open, compiled_moved = njit(fees_of), njit(is_open), njit(moved)


@settings(max_examples=500)
@given(pool=pools(), amount=AMOUNTS)
def test_compiled_and_plain_quotes_are_equal(pool: Pool, amount: int) -> None:
    for name in QUOTES:
        quote = getattr(arithmetic, name)(pool, amount)
        if max(quote) < 2**62:  # the last token of a pool may cost more than 63 bits
            assert COMPILED[name](pool, amount) == quote, name


@given(pools(), AMOUNTS, AMOUNTS)
def test_compiled_and_plain_moves_and_fees_are_equal(pool: Pool, sol: int, token: int) -> None:
    after = moved(pool, sol, -token)
    assert compiled_moved(pool, sol, -token) == after
    for each in (pool, after):
        assert compiled_fees_of(each) == fees_of(each)
        assert compiled_is_open(each) == is_open(each)


def _buy(pool: Pool, budget: int) -> tuple[Pool, int, int]:
    """Return the pool after a buy, the tokens received and the lamports paid."""
    quote = quote_buy(pool, budget)
    after = moved(pool, quote.pool_sol_lamports, -quote.token_raw)
    return after, quote.token_raw, quote.sol_lamports + quote.fee_lamports


def _sell(pool: Pool, token_raw: int) -> tuple[Pool, int, int]:
    """Return the pool after a sale, the tokens sold and the lamports received."""
    quote = quote_sell(pool, token_raw)
    after = moved(pool, -quote.pool_sol_lamports, quote.token_raw)
    return after, quote.token_raw, quote.sol_lamports - quote.fee_lamports


@given(pools(), st.lists(st.tuples(st.booleans(), st.integers(1, 10**12)), min_size=1, max_size=10))
def test_no_sequence_of_trades_profits_from_a_pool(pool: Pool, trades: list[tuple[bool, int]]) -> None:
    start, cash, tokens = pool, 0, 0
    for buying, amount in trades:
        if buying:
            pool, got, paid = _buy(pool, amount)
            cash, tokens = cash - paid, tokens + got
        else:
            pool, sold, got = _sell(pool, min(amount, tokens))
            cash, tokens = cash + got, tokens - sold
        assert min(pool.sol_lamports, pool.token_raw, pool.real_sol_lamports, pool.real_token_raw) >= 0
        assert pool.sol_lamports * pool.token_raw >= start.sol_lamports * start.token_raw
    _, _, got = _sell(pool, tokens)
    assert cash + got <= 0


@given(pools(), AMOUNTS)
def test_a_buy_is_limited_by_its_budget_and_the_real_tokens(pool: Pool, budget: int) -> None:
    quote = quote_buy(pool, budget)
    assert 0 <= quote.token_raw <= pool.real_token_raw
    assert quote.sol_lamports + quote.fee_lamports <= max(budget, 0)
    assert quote.sol_lamports <= quote.pool_sol_lamports <= quote.sol_lamports + quote.fee_lamports


@given(pools(PUMP_CURVE, AMM), AMOUNTS)
def test_a_buy_is_the_largest_within_its_budget(pool: Pool, budget: int) -> None:
    quote = quote_buy(pool, budget)
    more = quote_buy_tokens(pool, quote.token_raw + 1)
    assert more == NOTHING or more.sol_lamports + more.fee_lamports > budget


@given(pools(), AMOUNTS, AMOUNTS)
def test_a_larger_budget_never_buys_less(pool: Pool, one: int, other: int) -> None:
    less, more = quote_buy(pool, min(one, other)), quote_buy(pool, max(one, other))
    # When all three parts of PumpSwap's fee increase at once, its program moves up to 2 lamports less.
    slack = 2 if pool.venue == PUMPSWAP else 0
    assert less.sol_lamports <= more.sol_lamports + slack
    assert less.token_raw <= more.token_raw + slack * (pool.token_raw // pool.sol_lamports + 1)


@given(pools(), AMOUNTS, AMOUNTS)
def test_more_tokens_never_cost_less(pool: Pool, one: int, other: int) -> None:
    # Amounts that the pool has: others cost nothing, and most random ones are others.
    least, most = sorted(amount % (pool.real_token_raw + 1) for amount in (one, other))
    less, more = quote_buy_tokens(pool, least), quote_buy_tokens(pool, most)
    assume(more.token_raw)
    assert less.sol_lamports <= more.sol_lamports
    assert less.sol_lamports + less.fee_lamports <= more.sol_lamports + more.fee_lamports


@given(pools(), AMOUNTS, AMOUNTS)
def test_a_larger_sale_yields_no_less_and_at_most_the_real_sol(pool: Pool, one: int, other: int) -> None:
    less, more = quote_sell(pool, min(one, other)), quote_sell(pool, max(one, other))
    assert less.sol_lamports <= more.sol_lamports <= pool.real_sol_lamports
    assert 0 <= more.fee_lamports <= more.sol_lamports
    assert more.sol_lamports - more.fee_lamports <= more.pool_sol_lamports <= more.sol_lamports


@given(pools(PUMP_CURVE), AMOUNTS)
def test_a_round_trip_on_the_curve_costs_the_fees_and_one_lamport(pool: Pool, budget: int) -> None:
    bought = quote_buy(pool, budget)
    assume(bought.token_raw and bought.token_raw < pool.real_token_raw)  # the last token would complete it
    sold = quote_sell(moved(pool, bought.pool_sol_lamports, -bought.token_raw), bought.token_raw)
    assert sold.sol_lamports == bought.sol_lamports - 1  # the lamport that a buyer pays in addition to rounding
    for quote in (bought, sold):
        assert quote.fee_lamports == min(share_fee(quote.sol_lamports, fees_of(pool)), quote.sol_lamports)


@given(st.integers(30, 115), st.integers(10**6, 30 * 10**9))
def test_a_round_trip_on_a_standard_curve_loses_two_and_a_half_percent(virtual_sol: int, budget: int) -> None:
    sol = virtual_sol * 10**9
    token = 30 * 10**9 * 1_073_000_000 * 10**6 // sol
    pool = Pool(PUMP_CURVE, sol, token, sol - 30 * 10**9, max(token - 279_900_000 * 10**6, 0), **CURVE_FEES)
    after, got, paid = _buy(pool, budget)
    assume(got and got < pool.real_token_raw)
    _, _, returned = _sell(after, got)
    assert (paid - returned) / paid == pytest.approx(0.0125 / 1.0125 * 2, abs=5 / paid)


@pytest.mark.parametrize(("lamports", "fee"), [(0, 0), (1, 2), (10_000, 125), (10_001, 96 + 31)])
def test_each_part_of_the_fee_is_rounded_up_separately(lamports: int, fee: int) -> None:
    assert share_fee(lamports, Fees(0, 95, 30)) == fee


@pytest.mark.parametrize("budget", [-5, 0, 1, 2])
def test_a_budget_that_buys_nothing_costs_nothing(budget: int) -> None:
    assert quote_buy(Pool(PUMP_CURVE, 30 * 10**9, 30, 10**9, 20, **CURVE_FEES), budget) == NOTHING


def test_an_exact_buy_costs_one_lamport_more_on_the_curve() -> None:
    for venue, cost in ((PUMP_CURVE, 101), (PUMPSWAP, 100), (AMM, 100)):
        pool = Pool(venue, 100, 200, 100, 200)
        assert quote_buy_tokens(pool, 100).sol_lamports == cost


def test_the_part_of_the_fee_that_stays_in_the_pool_depends_on_the_venue() -> None:
    for venue, stays in ((PUMP_CURVE, 0), (PUMPSWAP, 20), (AMM, 21)):
        pool = Pool(venue, 10**9, 10**9 + 10_000, 10**9, 10**9, 0, 20, 30, 40)
        quote = quote_buy_tokens(pool, 10_000)
        assert quote.sol_lamports in (10_000, 10_001)
        assert quote.pool_sol_lamports - quote.sol_lamports == pytest.approx(stays, abs=1)


@given(pools(PUMP_CURVE), AMOUNTS)
def test_a_complete_curve_does_not_trade_but_has_a_value(pool: Pool, amount: int) -> None:
    complete = pool._replace(real_token_raw=0)
    assert not is_open(complete)
    assert quote_buy(complete, amount) == quote_buy_tokens(complete, amount) == quote_sell(complete, amount) == NOTHING
    assert value_of(complete, amount) == value_of(pool, amount)


@given(pools(PUMP_CURVE), AMOUNTS)
def test_our_own_trades_never_complete_a_curve(pool: Pool, amount: int) -> None:
    assume(pool.real_token_raw > 0)
    assert moved(pool, 0, -amount).real_token_raw >= 1


def test_a_complete_curve_becomes_a_pool_at_the_same_price() -> None:
    curve = Pool(PUMP_CURVE, 115_005_359_056, 279_900_000 * 10**6, 85_005_359_056, 0, 10**15, **CURVE_FEES)
    pool = migrated(curve, 206_900_000 * 10**6)
    assert pool.venue == PUMPSWAP
    assert pool.sol_lamports == pool.real_sol_lamports == curve.real_sol_lamports - MIGRATION_FEE_LAMPORTS
    assert pool.token_raw == pool.real_token_raw == 206_900_000 * 10**6
    assert pool.sol_lamports / pool.token_raw == pytest.approx(curve.sol_lamports / curve.token_raw, rel=1e-3)
    assert fees_of(pool) == (2, 93, 30) == (pool.lp_fee_bps, pool.protocol_fee_bps, pool.creator_fee_bps)


@pytest.mark.parametrize(
    ("market_cap_sol", "fees"), [(1, (2, 93, 30)), (420, (20, 5, 95)), (1469, (20, 5, 95)), (10**6, (20, 5, 5))]
)
def test_pumpswap_fees_follow_the_market_cap_if_the_supply_is_known(market_cap_sol: int, fees: Any) -> None:
    sol = market_cap_sol * 10**9  # all tokens in the pool: its SOL is the market cap
    pool = Pool(PUMPSWAP, sol, 10**15, sol, 10**15, 10**15, 7, 8, 9)
    assert fees_of(pool) == fees
    assert fees_of(pool._replace(creator_fee_bps=0)) == (*fees[:2], 0)
    assert fees_of(pool._replace(supply_raw=0)) == (7, 8, 9)


def test_pool_after_copies_the_fields_of_the_event() -> None:
    events = empty(1)
    for i, name in enumerate(Pool._fields, 1):
        events[{"sol_lamports": "pool_sol_lamports", "token_raw": "pool_token_raw"}.get(name, name)] = i
    pool = pool_after(next(rows(events)))
    assert pool == tuple(range(1, len(Pool._fields) + 1))
    markets = np.zeros(1, [("pool", POOL)])
    compiled_set(markets, events)
    assert markets["pool"][0].item() == pool
    assert np.iinfo(events["lp_fee_bps"].dtype).max >= BPS
