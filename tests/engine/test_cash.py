"""Money: a strategy never spends what it does not have, and all of it is accounted for."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.engine import Engine
from memesnipe.engine.genome import Genome
from memesnipe.engine.orders import FillModel
from memesnipe.engine.trader import Account
from memesnipe.market.events import LAMPORTS_PER_SOL
from tests.support import SOL_USD, SURE, Market, engine_with, genome, population, synthetic_events

MODELS = st.builds(
    FillModel,
    seed=st.integers(0, 99),
    latency_ns=st.sampled_from([0, 10**9, 20 * 10**9]),
    landing_ratio=st.sampled_from([0.1, 0.6, 1.0]),
    slippage_bps=st.sampled_from([100, 5_000]),
    priority_fee_lamports=st.sampled_from([0, 100_000, 5_000_000]),
)


def _account(engine: Engine) -> Account:
    return next(iter(engine.traders.values())).account


@settings(max_examples=25)
@given(st.sampled_from(population()), MODELS, st.sampled_from([1.0, 20.0, 2_000.0]), st.floats(0.02, 1.0))
def test_cash_is_never_below_zero_and_every_lamport_is_accounted_for(
    one: Genome, model: FillModel, capital_usd: float, size: float
) -> None:
    engine = engine_with(replace(one, size=size), model=model, capital_usd=capital_usd)
    events = synthetic_events(400, seed=3)
    for start in range(0, len(events), 4):
        engine.advance(events[start : start + 4])
        account = _account(engine)
        assert account.cash_lamports >= 0
        # What is held cost what its pools were given, and what both sides' fees took.
        given_to_pools = sum(h.shift_sol_lamports for h in account.holdings.values())
        assert all(h.token_raw == -h.shift_token_raw > 0 for h in account.holdings.values())
        assert sum(h.cost_lamports for h in account.holdings.values()) >= given_to_pools > -1


def test_orders_on_their_way_keep_their_money() -> None:
    """Ten tokens at once, a quarter of the capital each: three find money, and the fees of a fourth are left."""
    market = Market()
    for i in range(10):
        market.trade(1 + i / 100, f"token {i}")
    engine = engine_with(genome("buy_once", size=0.25))
    orders = engine.advance(market.talk(9).events())
    account = _account(engine)
    assert len(orders) == len(account.holdings) == 4
    assert orders[-1].budget_lamports < orders[0].budget_lamports == account.capital_lamports // 4
    assert 0 <= account.cash_lamports < 10 * SURE.network_fee_lamports


def test_who_cannot_pay_the_network_sends_nothing() -> None:
    """Enough for one way in and one way out: the sale can be paid although all the money is in the token."""
    fee_usd = SURE.network_fee_lamports / LAMPORTS_PER_SOL * SOL_USD
    poor = engine_with(genome("buy_once", size=1.0, max_hold_s=10.0), capital_usd=fee_usd * 1.5)
    assert poor.advance(Market().trade(1).talk(60).events()) == []
    just = engine_with(genome("buy_once", size=1.0, max_hold_s=10.0), capital_usd=fee_usd * 3)
    assert [o.side for o in just.advance(Market().trade(1).talk(60).events())] == [1, -1]
    # Every sale fails and costs its fee, until there is no money for another one.
    never = replace(SURE, slippage_bps=0, landing_ratio=1.0)
    market = Market().trade(1).trade(5)
    for i in range(40):
        market.trade(20 + i * 60, sol=-0.05).trade(20 + i * 60 + 0.5, sol=-0.05)
    stuck = engine_with(genome("buy_once", "flip", size=1.0), model=never, capital_usd=fee_usd * 3)
    sales = [o for o in stuck.advance(market.events()) if o.side < 0]
    assert 0 < len(sales) < 10
    assert _account(stuck).cash_lamports >= 0


def test_equity_is_cash_and_what_the_pools_would_pay_now() -> None:
    engine = engine_with(genome("buy_once"))
    engine.advance(Market().trade(1).talk(5).events())
    account, trader = _account(engine), next(iter(engine.traders.values()))
    holding = account.holdings[0]
    assert trader.equity_lamports(engine.board) == account.cash_lamports + holding.value_lamports(
        engine.board.tokens[0].pool
    )
    assert account.capital_lamports > trader.equity_lamports(engine.board) > 0.99 * account.capital_lamports
