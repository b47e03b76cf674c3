"""The figures of a tear sheet against empyrical, a library of performance metrics, and against slow twins."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from memesnipe.stats import performance

with contextlib.redirect_stdout(io.StringIO()):  # it prints which of its extras are missing
    import empyrical

DAY_S = 86_400.0
many = st.integers(2, 400).flatmap(
    lambda n: arrays(np.float64, n, elements=st.integers(-900, 900).map(lambda x: x / 10_000))
)
mixed = many.filter(lambda r: len(np.unique(r)) > 1 and (r < 0).any())


def curve_of(returns: np.ndarray) -> np.ndarray:
    return np.concatenate(([1.0], np.cumprod(1.0 + returns)))


@given(mixed, st.sampled_from([60.0, 3_600.0, DAY_S]))
@settings(deadline=None)
def test_ratios_are_those_of_the_library(returns: np.ndarray, period_s: float) -> None:
    yearly = int(365 * DAY_S / period_s)
    assert performance.sharpe(returns, period_s) == pytest.approx(empyrical.sharpe_ratio(returns, annualization=yearly))
    assert performance.sortino(returns, period_s) == pytest.approx(
        empyrical.sortino_ratio(returns, annualization=yearly)
    )
    assert performance.volatility(returns, period_s) == pytest.approx(
        empyrical.annual_volatility(returns, annualization=yearly)
    )
    depth = performance.drawdown(curve_of(returns)).depth
    assert depth == pytest.approx(-empyrical.max_drawdown(returns))
    total = float(np.prod(1.0 + returns) - 1.0)
    grown = performance.growth(total, len(returns) * period_s)
    if grown is not None:
        assert grown == pytest.approx(empyrical.cagr(returns, annualization=yearly))
        assert grown / depth == pytest.approx(empyrical.calmar_ratio(returns, annualization=yearly))


@given(many.filter(lambda r: len(r) >= 20))
@settings(deadline=None)
def test_the_tail_is_that_of_the_library(returns: np.ndarray) -> None:
    assert performance.value_at_risk(returns) == pytest.approx(empyrical.value_at_risk(returns), abs=1e-12)
    assert performance.expected_shortfall(returns) == pytest.approx(
        empyrical.conditional_value_at_risk(returns), abs=1e-12
    )


@given(mixed)
@settings(deadline=None)
def test_figures_of_trades(profits: np.ndarray) -> None:
    # The omega ratio at a threshold of 0 is the profit factor.
    ratio = empyrical.omega_ratio(profits, annualization=1)
    assert performance.profit_factor(profits) == pytest.approx(0.0 if np.isnan(ratio) else ratio)
    assert performance.win_rate(profits) == sum(p > 0 for p in profits) / len(profits)
    error = np.std(profits, ddof=1) / np.sqrt(len(profits))
    assert performance.system_quality(profits) == pytest.approx(np.mean(profits) / error)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=12))
def test_exposure_counts_each_time_once(starts: list[tuple[int, int]]) -> None:
    spans = np.array([(start, start + length) for start, length in starts], np.int64).reshape(-1, 2)
    covered = {t for start, end in spans.tolist() for t in range(start, end) if 10 <= t < 50}
    assert performance.exposure(spans, 10, 50) == len(covered) / 40


def test_the_longest_drawdown_is_counted_until_the_peak_is_reached_again() -> None:
    found = performance.drawdown(np.array([1.0, 2.0, 1.0, 1.5, 2.0, 1.9, 1.9, 1.9, 2.5]))
    assert (found.depth, found.longest_periods) == (0.5, 3)
    assert performance.drawdown(np.zeros(0)) == performance.Drawdown(0.0, 0)


def test_what_the_data_do_not_determine_is_none() -> None:
    flat, gains = np.zeros(30), np.full(30, 0.01)
    assert [performance.sharpe(flat, 60.0), performance.sortino(gains, 60.0)] == [None, None]
    assert [performance.profit_factor(gains), performance.system_quality(gains)] == [None, None]
    assert [performance.win_rate(np.zeros(0)), performance.volatility(np.zeros(1), 60.0)] == [None, None]
    assert [performance.growth(0.1, 3_600.0), performance.growth(-1.0, 1e6)] == [None, None]
    assert [performance.value_at_risk(np.zeros(19)), performance.expected_shortfall(np.zeros(19))] == [None, None]
    assert performance.exposure(np.zeros((0, 2), np.int64), 5, 5) is None
