import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from memesnipe.market.events import AMM, PUMP_CURVE
from memesnipe.market.pools import Pool, fee_lamports, quote_buy, quote_buy_tokens, quote_sell

FEES = (95, 30)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    venue = draw(st.sampled_from([PUMP_CURVE, AMM]))
    sol = draw(st.integers(1_000, 10**13))
    token = draw(st.integers(1_000, 10**16))
    real_sol, real_token = draw(st.integers(0, sol)), draw(st.integers(0, token - 1))
    fees = (draw(st.integers(0, 300)), draw(st.integers(0, 300)))
    return Pool(venue, sol, token, real_sol, real_token, fees)


BUDGETS = st.integers(0, 10**13)
AMOUNTS = st.integers(0, 10**16)


@given(pools(), BUDGETS)
def test_a_buy_costs_no_more_than_its_budget_and_one_raw_token_more_would(pool: Pool, budget: int) -> None:
    quote = quote_buy(pool, budget)
    assert 0 <= quote.token_raw <= pool.real_token_raw
    assert quote.sol_lamports + quote.fee_lamports <= budget
    if quote.token_raw < pool.real_token_raw:
        more = quote_buy_tokens(pool, quote.token_raw + 1)
        assert more.sol_lamports + more.fee_lamports > budget


@given(pools(), st.lists(st.tuples(st.booleans(), st.integers(1, 10**12)), min_size=1, max_size=8))
def test_no_sequence_of_trades_makes_money_out_of_a_pool(pool: Pool, trades: list[tuple[bool, int]]) -> None:
    start, cash, tokens = pool, 0, 0
    for buying, amount in trades:
        if buying:
            quote = quote_buy(pool, amount)
            cash, tokens = cash - quote.sol_lamports - quote.fee_lamports, tokens + quote.token_raw
            pool = pool.moved(quote.sol_lamports, -quote.token_raw)
        else:
            quote = quote_sell(pool, min(amount, tokens))
            cash, tokens = cash + quote.sol_lamports - quote.fee_lamports, tokens - quote.token_raw
            pool = pool.moved(-quote.sol_lamports, quote.token_raw)
        assert min(pool.sol_lamports, pool.token_raw, pool.real_sol_lamports, pool.real_token_raw) >= 0
        assert pool.sol_lamports * pool.token_raw >= start.sol_lamports * start.token_raw
    last = quote_sell(pool, tokens)
    assert cash + last.sol_lamports - last.fee_lamports <= 0


@given(pools(), BUDGETS, BUDGETS)
def test_a_larger_budget_never_buys_less(pool: Pool, one: int, other: int) -> None:
    less, more = quote_buy(pool, min(one, other)), quote_buy(pool, max(one, other))
    assert less.token_raw <= more.token_raw
    assert less.sol_lamports + less.fee_lamports <= more.sol_lamports + more.fee_lamports


@given(pools(), AMOUNTS, AMOUNTS)
def test_selling_more_never_pays_less_before_fees_and_never_more_than_is_there(
    pool: Pool, one: int, other: int
) -> None:
    less, more = quote_sell(pool, min(one, other)), quote_sell(pool, max(one, other))
    assert less.sol_lamports <= more.sol_lamports <= pool.real_sol_lamports
    assert 0 <= more.fee_lamports <= more.sol_lamports


@given(st.integers(30, 115), st.integers(10**6, 30 * 10**9))
def test_a_round_trip_with_nobody_in_between_costs_exactly_the_fees(virtual_sol: int, budget: int) -> None:
    product = 30 * 10**9 * 1_073_000_000 * 10**6
    sol = virtual_sol * 10**9
    token = product // sol
    pool = Pool(PUMP_CURVE, sol, token, sol - 30 * 10**9, max(token - 279_900_000 * 10**6, 0), FEES)
    bought = quote_buy(pool, budget)
    assume(bought.token_raw)
    sold = quote_sell(pool.moved(bought.sol_lamports, -bought.token_raw), bought.token_raw)
    # The curve itself keeps what rounding gives it: at most one lamport.
    assert 0 <= bought.sol_lamports - sold.sol_lamports <= 1
    paid = bought.sol_lamports + bought.fee_lamports
    lost = paid - (sold.sol_lamports - sold.fee_lamports)
    assert lost / paid == pytest.approx(0.0125 / 1.0125 * 2, abs=5 / paid)


@pytest.mark.parametrize(("lamports", "fee"), [(0, 0), (1, 2), (10_000, 125), (10_001, 96 + 31)])
def test_each_share_of_the_fee_is_rounded_up_on_its_own(lamports: int, fee: int) -> None:
    assert fee_lamports(lamports, FEES) == fee


@pytest.mark.parametrize("budget", [-5, 0, 1, 2])
def test_a_budget_that_buys_nothing_costs_nothing(budget: int) -> None:
    pool = Pool(PUMP_CURVE, 30 * 10**9, 30, 10**9, 20, FEES)
    assert quote_buy(pool, budget).sol_lamports == quote_buy(pool, budget).fee_lamports == 0


def test_the_curve_charges_one_lamport_more_than_others_where_nothing_is_left_to_round() -> None:
    for venue, cost in ((PUMP_CURVE, 101), (AMM, 100)):
        pool = Pool(venue, 100, 200, 100, 200, (0, 0))
        assert quote_buy_tokens(pool, 100).sol_lamports == cost
        assert quote_buy(pool, 100).token_raw == 200 - cost
