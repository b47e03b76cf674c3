"""The fit recovers known curves, its intervals cover them, and few orders move it little."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.fills import FillModel, landing_ratio
from memesnipe.stats.landing_fit import PRIOR_DEVIATION, LandingCurve, LandingFit, fit_landing
from memesnipe.stats.proportion import wilson_interval

ASSUMED = LandingCurve(0.95, 6_000.0)
NO_BIDS, NO_RESULTS = np.empty(0, np.int64), np.empty(0, np.bool_)


def orders_of(curve: LandingCurve, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return bids over three decades, and which of them land."""
    draw = np.random.default_rng(seed)
    bids = np.exp(draw.uniform(np.log(1_000), np.log(1_000_000), count)).astype(np.int64)
    return bids, draw.random(count) < curve.rate(bids.astype(float))


def fit_of(curve: LandingCurve, count: int, seed: int, assumed: LandingCurve = ASSUMED) -> LandingFit:
    return fit_landing(*orders_of(curve, count, seed), assumed)


@pytest.mark.parametrize("bid", [0, 1, 100, 6_000, 110_000])
def test_the_curve_is_that_of_the_fill_model(bid: int) -> None:
    model = FillModel(priority_fee_lamports=bid, tip_lamports=0)
    curve = LandingCurve(model.landing_max, model.landing_half_lamports)
    assert curve.rate(np.array([float(bid)]))[0] == pytest.approx(landing_ratio(model), abs=1e-12)


def test_without_orders_the_fit_is_what_is_assumed() -> None:
    fit = fit_landing(NO_BIDS, NO_RESULTS, ASSUMED)
    assert (fit.curve.maximum, fit.curve.half) == (pytest.approx(0.95, abs=1e-3), pytest.approx(6_000, rel=1e-3))
    outer = PRIOR_DEVIATION * 1.96
    assert fit.maximum().low == pytest.approx(1 / (1 + np.exp(-(np.log(19) - outer))), abs=0.02)
    assert fit.half().high == pytest.approx(6_000 * np.exp(outer), rel=0.2)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.3, 0.98), st.floats(1_500, 60_000), st.integers(0, 2**32 - 1))
def test_many_orders_recover_a_curve_far_from_what_is_assumed(maximum: float, half: float, seed: int) -> None:
    truth = LandingCurve(maximum, half)
    fit = fit_of(truth, 20_000, seed)
    assert fit.curve.maximum == pytest.approx(maximum, abs=0.04)
    assert np.log(fit.curve.half / half) == pytest.approx(0, abs=0.25)
    for bid in (3_000.0, 30_000.0, 300_000.0):
        assert fit.rate(bid).value == pytest.approx(truth.rate(np.array([bid]))[0], abs=0.025)


def test_intervals_cover_curves_drawn_from_the_prior_as_often_as_they_say() -> None:
    """Of 120 fits to 200 orders, 95 % intervals cover the truth; 107 or fewer would have a probability of 0.4 %."""
    draw, bid = np.random.default_rng(7), 110_000.0
    covered, widths = np.zeros(3), []
    for seed in range(120):
        logit, half = np.array([np.log(19.0), np.log(6_000.0)]) + PRIOR_DEVIATION * draw.standard_normal(2)
        truth = LandingCurve(float(1 / (1 + np.exp(-logit))), float(np.exp(half)))
        fit = fit_of(truth, 200, seed)
        true_values = (truth.maximum, truth.half, truth.rate(np.array([bid]))[0])
        estimates = (fit.maximum(), fit.half(), fit.rate(bid))
        covered += [one.low <= value <= one.high for one, value in zip(estimates, true_values, strict=True)]
        widths.append(estimates[2].high - estimates[2].low)
    assert covered.min() > 107, covered
    assert np.mean(widths) < 0.15, "they say something"


def test_few_orders_move_the_fit_little_and_many_much() -> None:
    """At the one bid of all orders, 30 % land where 90 % are assumed."""

    def rate_after(count: int) -> float:
        landed = np.arange(count) % 10 >= 7
        return fit_landing(np.full(count, 110_000), landed, ASSUMED).rate(110_000).value

    rates = [rate_after(count) for count in (0, 3, 20, 2_000)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] - rates[1] < 0.15
    assert rates[0] - rates[2] > 0.1
    assert rates[3] == pytest.approx(0.3, abs=0.02)


def test_equal_bids_leave_the_shape_of_the_curve_open_and_fix_its_rate() -> None:
    bids = np.full(3_000, 20_000)
    fit = fit_landing(bids, np.arange(3_000) < 1_800, ASSUMED)
    assert fit.rate(20_000).high - fit.rate(20_000).low < 0.08
    assert fit.maximum().high - fit.maximum().low > 0.1
    assert fit.rate(20_000).value == pytest.approx(0.6, abs=0.02)
    assert fit.curve.rate(np.array([20_000.0]))[0] == pytest.approx(0.6, abs=0.04), "what is taken over has it too"


@given(st.integers(0, 400), st.integers(1, 400))
def test_the_interval_of_a_proportion_solves_its_equation(hits: int, trials: int) -> None:
    hits = min(hits, trials)
    low, high = wilson_interval(hits, trials)
    assert 0 <= low <= hits / trials + 1e-12
    assert hits / trials - 1e-12 <= high <= 1
    for edge in (low, high):
        if 1e-9 < edge < 1 - 1e-9:
            distance = (hits / trials - edge) ** 2 * trials / (edge * (1 - edge))
            assert distance == pytest.approx(1.959964**2, rel=1e-4)


def test_no_trials_say_nothing_and_more_hits_than_trials_are_refused() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 of 2"):
        wilson_interval(3, 2)
