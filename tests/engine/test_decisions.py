"""When a trader buys and sells: votes, filters, exits, and the record of how it did."""

from dataclasses import replace

import pytest

from memesnipe.engine.engine import Engine
from memesnipe.engine.genome import FilterGenes, Genome, SignalGene
from memesnipe.engine.orders import Order
from memesnipe.market.events import LAMPORTS_PER_SOL
from tests.support import SOL_USD, START_TS, SURE, Market, engine_with, genome


def _voting(weights: dict[str, float], threshold: float) -> Genome:
    signals = tuple(SignalGene(name, {}, weight) for name, weight in weights.items())
    return replace(genome("flip"), signals=signals, threshold=threshold)


def _told(engine: Engine, market: Market) -> list[tuple[int, str, float]]:
    orders: list[Order] = engine.advance(market.events())
    return [(order.side, order.reason, (order.decided_ts - START_TS) / 1e9) for order in orders]


def test_a_heavier_vote_outweighs_a_lighter_one() -> None:
    market = Market().trade(1).trade(2, sol=-0.1).talk(2, sentiment=0.9)
    for flip, talk, expected in ((0.2, 0.8, [(1, "signal", 2.0)]), (0.8, 0.2, [(1, "signal", 1.0)])):
        engine = engine_with(_voting({"flip": flip, "talk": talk}, threshold=0.5))
        assert _told(engine, market)[:1] == expected


@pytest.mark.parametrize("weights", [(0.1, 0.2, 0.3), (0.1, 0.7, 0.1), (0.3, 0.3, 0.3), (0.6, 0.1, 0.7)])
def test_a_unanimous_vote_reaches_a_threshold_of_one_whatever_the_weights(weights: tuple[float, ...]) -> None:
    market = Market().trade(1, sol=0.1).talk(2).trade(3, sol=0.1)
    voting = _voting(dict(zip(("flip", "talk", "trend"), weights, strict=True)), threshold=1.0)
    assert _told(engine_with(voting), market) == [(1, "signal", 2.0)]


def test_a_vote_stands_until_its_gene_speaks_again_but_a_decision_spends_it() -> None:
    """The first order never lands; nobody has talked since, so nothing calls for a second one."""
    market = Market().trade(1).talk(2).trade(10).trade(20)
    engine = engine_with(genome("talk"), model=replace(SURE, landing_ratio=0.0))
    assert _told(engine, market) == [(1, "signal", 2.0)]
    late = engine_with(replace(genome("talk"), filters=FilterGenes(0.0, 15.0)))
    assert _told(late, market) == [(1, "signal", 20.0)]


def test_young_and_thin_tokens_are_left_alone() -> None:
    market = Market().trade(1, sol=-0.1).trade(30, sol=3.0).trade(60, sol=0.1)
    liquidity = [10 * SOL_USD, 12.9 * SOL_USD]
    for filters, at_s in (
        (FilterGenes(0.0, 29.0), 30.0),
        (FilterGenes(0.0, 29.1), 60.0),
        (FilterGenes(liquidity[0], 0.0), 30.0),
        (FilterGenes(liquidity[1], 0.0), 60.0),
    ):
        engine = engine_with(replace(genome("flip"), filters=filters))
        assert _told(engine, market)[0] == (1, "signal", at_s)


@pytest.mark.parametrize(
    ("exits", "moves", "reason"),
    [
        ({"stop_loss": 0.2}, (-8.0,), "stop_loss"),
        ({"stop_loss": 0.2}, (-0.01,), None),
        ({"take_profit": 0.1}, (4.0,), "take_profit"),
        ({"take_profit": 0.5}, (4.0,), None),
        ({"trailing_stop": 0.1}, (4.0, -3.0), "trailing_stop"),
        ({"trailing_stop": 0.5}, (4.0, -3.0), None),
        ({}, (-8.0, 8.0), None),
    ],
)
def test_an_exit_fires_at_its_level_and_not_before(
    exits: dict[str, float], moves: tuple[float, ...], reason: str | None
) -> None:
    market = Market().trade(1)
    for i, move in enumerate(moves):
        market.trade(10 + i, sol=move)
    told = _told(engine_with(genome("buy_once", **exits)), market)
    assert [why for _, why, _ in told[1:]] == ([reason] if reason else [])


def test_the_longest_hold_counts_from_the_position_that_is_held() -> None:
    """The first position is closed early; the end of its hold, at 32.5 s, must not close the second."""
    market = Market().trade(1).trade(10, sol=-0.01).trade(20).talk(99)
    told = _told(engine_with(genome("flip", max_hold_s=30.0)), market)
    assert told == [(1, "signal", 1.0), (-1, "signal", 10.0), (1, "signal", 20.0), (-1, "max_hold", 51.5)]


def test_equity_is_sampled_at_the_end_of_the_interval_and_not_after_what_followed() -> None:
    """The order lands at 61.4 s: the minute that ended at 60 s knows nothing of it."""
    engine = engine_with(genome("buy_once"))
    engine.advance(Market().trade(59.9).talk(100).events())
    account = next(iter(engine.traders.values())).account
    assert account.holdings
    assert (account.returns.periods, account.returns.equity) == (1, account.capital_lamports)
    engine.advance(Market().trade(59.9).talk(100).talk(260).events()[2:])
    assert account.returns.periods == 4
    assert account.returns.equity < account.capital_lamports


def test_results_tell_what_the_account_knows() -> None:
    engine = engine_with(genome("buy_once", max_hold_s=10.0))
    engine.advance(Market().trade(5).talk(95).events())
    (result,), (trader,) = engine.results(), engine.traders.values()
    account = trader.account
    lost = account.capital_lamports - account.cash_lamports
    assert result.observed_s == 90.0
    assert result.total_return == -lost / account.capital_lamports
    assert result.total_pnl_usd == pytest.approx(-lost / LAMPORTS_PER_SOL * SOL_USD)
    assert result.fees_usd == pytest.approx(account.fees_lamports / LAMPORTS_PER_SOL * SOL_USD)
    assert (result.orders, result.failed, result.trades, result.wins) == (2, 0, 1, 0)
    assert result.max_drawdown == pytest.approx(lost / account.capital_lamports)
