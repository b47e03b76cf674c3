import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from memesnipe.stats.running import PERIODS_PER_YEAR, RunningReturns

STEPS = st.lists(st.tuples(st.floats(0.5, 2.0), st.integers(1, 5)), min_size=2, max_size=40)


def _run(steps: list[tuple[float, int]]) -> tuple[RunningReturns, list[float], list[float]]:
    """The statistics, and every period's return and equity written out."""
    running, equity = RunningReturns(), 1000.0
    running.sample(equity)
    returns, curve = [], [equity]
    for change, periods in steps:
        equity *= change
        running.sample(equity, periods)
        returns += [0.0] * (periods - 1) + [equity / curve[-1] - 1.0]
        curve += [curve[-1]] * (periods - 1) + [equity]
    return running, returns, curve


@given(STEPS)
def test_the_sharpe_ratio_is_that_of_all_periods_written_out(steps: list[tuple[float, int]]) -> None:
    running, returns, _ = _run(steps)
    assume(np.std(returns) > 1e-5)
    expected = np.mean(returns) / np.std(returns, ddof=1) * np.sqrt(PERIODS_PER_YEAR)
    assert running.sharpe == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert running.periods == len(returns)


@given(STEPS)
def test_the_drawdown_is_the_deepest_fall_from_a_peak(steps: list[tuple[float, int]]) -> None:
    running, _, curve = _run(steps)
    falls = 1.0 - np.array(curve) / np.maximum.accumulate(curve)
    assert running.max_drawdown == pytest.approx(falls.max(), abs=1e-12)


@pytest.mark.parametrize("change", [1.0, 1.1, 0.9, 1.0001, 1.5])
@pytest.mark.parametrize("count", [1, 2, 50, 1000])
def test_returns_that_do_not_vary_have_no_sharpe_ratio(change: float, count: int) -> None:
    assert _run([(change, 1)] * count)[0].sharpe == 0.0


def test_periods_without_events_are_returns_of_zero() -> None:
    at_once, quiet = _run([(1.1, 1), (1.2, 1)])[0], _run([(1.1, 1), (1.2, 9)])[0]
    assert quiet.periods == at_once.periods + 8
    assert 0 < quiet.sharpe < at_once.sharpe


def test_a_year_has_its_minutes() -> None:
    assert PERIODS_PER_YEAR == 365 * 24 * 60
