"""Concentration of a profit, and that the profits of tokens sum to the total."""

import pytest

from memesnipe.engine.concentration import concentration_of, held_values
from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.orders import Fill, Order
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, SELL_SIDE
from tests.support import FAMILIES, population, synthetic_events


def _fill(token: int, side: int, sol: int, failure: str = "") -> Fill:
    order = Order("a", 1, token, side, "signal", 0, 0, 0, 0.1, 0, 0, 0)
    return Fill(order, 0, 0, 1, sol, 0, 5 if failure else 0, 0, failure)


def test_the_token_with_most_of_the_profit_is_found() -> None:
    fills = [_fill(token, side, 100 + token * (side < 0)) for token in range(1, 4) for side in (BUY_SIDE, SELL_SIDE)]
    found = concentration_of([*fills, _fill(9, BUY_SIDE, 100), _fill(9, SELL_SIDE, 194)], {})
    assert found is not None
    assert (found.top_token, found.top_token_share, found.top_trade_share) == (9, 0.94, 0.94)


def test_holdings_count_and_a_loss_has_no_concentration() -> None:
    fills = [_fill(1, BUY_SIDE, 100), _fill(2, BUY_SIDE, 100), _fill(2, SELL_SIDE, 0, "did not land")]
    found = concentration_of(fills, {1: 400, 2: 110})
    assert found is not None
    assert (found.top_token, found.top_token_share) == (1, pytest.approx(300 / 305))
    assert concentration_of(fills, {1: 100, 2: 50}) is None
    assert concentration_of([], {}) is None


def test_the_profits_of_tokens_sum_to_the_total() -> None:
    engine = Engine(FAMILIES, FillModel(), 1000.0)
    genomes = population()
    engine.add(*genomes)
    engine.watch([genome.spec_id for genome in genomes])
    events = synthetic_events(6000)
    fills = engine.advance(events).fills
    held = {genome.spec_id: held_values(engine, genome.spec_id) for genome in genomes}
    assert any(held.values())
    for result in engine.results():
        cash_change = sum(fill.cash_change_lamports for fill in fills if fill.order.spec_id == result.spec_id)
        usd = (cash_change + sum(held[result.spec_id].values())) / LAMPORTS_PER_SOL * engine.sol_usd
        assert usd == pytest.approx(result.total_pnl_usd, abs=1e-6)
