"""Seeded simulations of the guarantees: rates on noise, false discoveries, runs of the detector, and power."""

import numpy as np
import pytest

from benchmarks.evidence import (
    MAX_LOSS,
    Draw,
    detection,
    discoveries,
    draw_rare_losses,
    draw_skewed,
    growth_of_rules,
    noise_rates,
    power,
    turnover,
)
from memesnipe.stats.e_process import EProcesses
from memesnipe.testing.round_trips import OpenPositions, skewed_returns


@pytest.mark.parametrize("draw", [draw_skewed, draw_rare_losses])
@pytest.mark.parametrize("losers_kept", [1, 12])
def test_noise_is_promoted_no_more_often_than_alpha_at_any_time(draw: Draw, losers_kept: int) -> None:
    alphas = (0.2, 0.05)
    found = noise_rates(draw, losers_kept=losers_kept, markets=30, steps=300, alphas=alphas, seed=5)
    for alpha, rates in zip(alphas, found, strict=True):
        # 3,000 strategies; the bound itself, without a tolerance, because the evidence is far from tight.
        assert 0.0 < rates.alone <= alpha
        assert rates.markets <= alpha + 2 * np.sqrt(alpha / 30)


def test_a_t_test_at_every_look_promotes_noise_that_rarely_loses() -> None:
    """The scenario is not so easy that any test passes."""
    (rates,) = noise_rates(draw_rare_losses, losers_kept=12, markets=20, steps=200, alphas=[0.05], seed=5)
    assert rates.ttest > 0.9
    assert rates.markets == 0.0


def test_without_an_edge_the_mean_evidence_stays_one() -> None:
    """The account is a fair game: no more and no less."""
    strategies = 20_000
    rng = np.random.default_rng(6)
    processes, positions = EProcesses(MAX_LOSS), OpenPositions(losers_kept=5)
    processes.add(strategies)
    for _ in range(15):
        processes.apply(positions.advance(skewed_returns(rng, np.zeros(strategies), 1)))
    assert np.mean(processes.e_values) < 0.8  # with open positions as total losses
    processes.apply(positions.close_all())
    values = processes.e_values
    assert np.mean(values) == pytest.approx(1.0, abs=4 * np.std(values) / np.sqrt(strategies))
    assert np.std(values) > 0.3


def test_replacing_the_worst_and_reusing_their_weights_promotes_no_more_noise() -> None:
    found = turnover(markets=40, places=30, rounds=15, steps=12, alpha=0.2, seed=7)
    assert found.admitted == 180
    assert found.rate <= 0.2
    assert found.nats_with_refunds < found.nats_without


def test_few_of_the_accepted_are_false_and_edges_are_found() -> None:
    found = discoveries(markets=30, edges=10, ratio=0.3, steps=500, alpha=0.05, seed=8)
    assert found.rate <= 0.05
    assert found.true > 8.0


def test_the_predicted_number_of_round_trips_is_about_the_median() -> None:
    thresholds = np.array([1e4, 1e6])
    found = power(0.3, thresholds, repeats=150, seed=9)
    for measured, predicted in zip(found.one_by_one, found.predicted, strict=True):
        assert 0.5 * predicted < measured < 1.2 * predicted


def test_false_demotions_are_rare_and_a_dead_edge_is_detected() -> None:
    found = detection([10.0, 30.0], repeats=100, steps=1_500, dying_steps=1_500, seed=10)
    for detected in found:
        assert detected.false_run >= detected.threshold
        assert detected.censored > 0.5
        assert detected.delay_at_half < detected.delay_at_zero
    assert found[0].delay_at_half < found[1].delay_at_half < 300


def test_a_lower_bound_of_the_expectation_keeps_the_capital_where_there_is_no_edge() -> None:
    rules = growth_of_rules(0.0, arenas=3, steps=20, seed=11)
    assert rules["half Kelly, own mean"] < -20.0
    assert rules["half Kelly, lower bound"] == 0.0
    assert growth_of_rules(0.1, arenas=3, steps=20, seed=11)["half Kelly, lower bound"] > 5.0
