"""The rules of a holding: compiled on records and plain on objects, they have the same effect."""

from dataclasses import asdict
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from memesnipe.engine.fills import LANDED, Outcome
from memesnipe.engine.holdings import HOLDING, Holding, apply_outcome, follow, value_lamports
from memesnipe.market.events import BUY_SIDE, COVER_SIDE, FUNDING, PRICE, PUMPSWAP, SELL_SIDE, SHORT_SIDE, empty, rows
from memesnipe.market.state import MARKET, TokenMarket
from tests.support import CURVE

MARK_USD = st.floats(1e-6, 1e3)


@njit
def compiled(holdings: Any, markets: Any, events: Any, side: int, outcome: Outcome, ts: int) -> tuple[int, int]:
    """Apply one outcome and the events; return the realised profit and the value."""
    profit = apply_outcome(holdings[0], markets[0], side, outcome, ts)
    for i in range(len(events)):
        follow(holdings[0], markets[0], events[i])
    return profit, value_lamports(holdings[0], markets[0])


def plain(holding: Holding, market: TokenMarket, events: Any, side: int, outcome: Outcome, ts: int) -> tuple[int, int]:
    profit = apply_outcome(holding, market, side, outcome, ts)
    for event in rows(events):
        follow(holding, market, event)
    return profit, value_lamports(holding, market)


def _market(mark_usd: float, rate: float) -> tuple[TokenMarket, Any]:
    market = TokenMarket(9, CURVE, sol_usd=150.0, mark_usd=mark_usd, funding_rate=rate, funding_ts=7)
    records = np.zeros(1, MARKET)
    for name in ("sol_usd", "mark_usd", "funding_rate", "funding_ts"):
        records[name] = getattr(market, name)
    records["pool"] = market.pool
    return market, records


@settings(max_examples=60, deadline=None)
@given(
    st.booleans(),
    st.lists(st.tuples(st.integers(1, 10**10), st.integers(1, 10**14), MARK_USD), min_size=2, max_size=6),
    st.floats(-1e-3, 1e-3),
    st.booleans(),
    st.integers(1, 99),
)
def test_compiled_and_plain_rules_are_equal(
    is_short: bool, steps: list[tuple[int, int, float]], rate: float, moves: bool, percent: int
) -> None:
    events = empty(2)
    events["kind"], events["ts"] = (FUNDING, PRICE), (8 * 10**12, 9 * 10**12)
    events["venue"] = (0, PUMPSWAP if moves else CURVE.venue)
    holding, records = Holding(), np.zeros(1, HOLDING)
    for i, (sol, token, mark_usd) in enumerate(steps):
        side, share = (SHORT_SIDE, 0) if is_short else (BUY_SIDE, token)
        if i % 2:  # all or a part of the holding
            share = holding.token_raw if i % 4 == 3 else holding.token_raw * percent // 100
            side = COVER_SIDE if is_short else SELL_SIDE
        outcome = Outcome(LANDED, share, sol, sol // 100, sol, 5_000)
        market, markets = _market(mark_usd, rate)
        arguments = events, side, outcome, 10 + i
        assert plain(holding, market, *arguments) == compiled(records, markets, *arguments)
        assert asdict(holding) == dict(zip(HOLDING.names or (), records[0].item(), strict=True))


def test_a_part_of_the_tokens_has_its_share_of_the_cost() -> None:
    holding, market = Holding(), TokenMarket(1, CURVE)
    assert apply_outcome(holding, market, BUY_SIDE, Outcome(LANDED, 1_000, 600, 6, 600, 4), 5) == 0
    assert (holding.cost_lamports, holding.opened_ts) == (610, 5)
    assert apply_outcome(holding, market, SELL_SIDE, Outcome(LANDED, 300, 200, 2, 200, 4), 6) == 194 - 183
    assert holding == Holding(1, 700, 427, 400, -700, 5)
    assert apply_outcome(holding, market, SELL_SIDE, Outcome(LANDED, 700, 500, 5, 500, 4), 7) == 491 - 427
    assert holding == Holding(opened_ts=5)
    assert not holding.is_open
