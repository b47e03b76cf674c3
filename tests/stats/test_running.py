import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from memesnipe.stats.running import PERIODS_PER_YEAR, calmar_ratio, shape_of, sharpe_ratio, sortino_ratio
from memesnipe.stats.sharpe import sharpe_of

RETURNS = st.lists(st.floats(-0.5, 1.0), min_size=2, max_size=60)


def _sums(returns: list[float]) -> tuple[int, float, float, float]:
    values = np.array(returns)
    return len(values), float(values.sum()), float((values**2).sum()), float((values[values < 0] ** 2).sum())


@given(RETURNS)
def test_the_sharpe_ratio_from_sums_matches_that_from_returns(returns: list[float]) -> None:
    assume(np.std(returns) > 1e-5)
    count, total, squares, _ = _sums(returns)
    expected = np.mean(returns) / np.std(returns, ddof=1) * np.sqrt(PERIODS_PER_YEAR)
    assert sharpe_ratio(count, total, squares) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(RETURNS)
def test_the_sortino_ratio_uses_only_losses(returns: list[float]) -> None:
    count, total, _, below = _sums(returns)
    assume(below > 1e-6)
    deviation = np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2))
    expected = np.mean(returns) / deviation * np.sqrt(PERIODS_PER_YEAR)
    assert sortino_ratio(count, total, below) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("change", [0.0, 0.1, -0.1, 0.0001, 0.5])
@pytest.mark.parametrize("count", [0, 1, 2, 50, 1000])
def test_constant_returns_have_no_sharpe_ratio(change: float, count: int) -> None:
    assert sharpe_ratio(*_sums([change] * count)[:3]) == 0.0


def test_ratios_without_losses_or_drawdowns_are_zero() -> None:
    assert sortino_ratio(100, 5.0, 0.0) == 0.0
    assert calmar_ratio(0.5, 3600.0, 0.0) == 0.0
    assert calmar_ratio(0.5, 0.0, 0.1) == 0.0


def test_calmar_is_the_simple_yearly_return_over_the_drawdown() -> None:
    assert calmar_ratio(0.1, 365 * 24 * 3600 / 2, 0.4) == pytest.approx(0.5)


def test_a_year_has_525600_periods() -> None:
    assert PERIODS_PER_YEAR == 365 * 24 * 60


@given(st.lists(st.floats(-0.5, 1.0), min_size=2, max_size=60))
def test_the_shape_from_sums_matches_that_from_returns(returns: list[float]) -> None:
    assume(np.std(returns) > 1e-2)
    values = np.array(returns)
    expected = sharpe_of(values, 60.0)
    sums = (float((values**power).sum()) for power in (1, 2, 3, 4))
    skewness, kurtosis = shape_of(len(returns), *sums)
    assert skewness == pytest.approx(expected.skewness, rel=1e-4, abs=1e-4)
    assert kurtosis == pytest.approx(expected.kurtosis, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("returns", [[], [0.1], [0.1, 0.1, 0.1]])
def test_constant_returns_have_the_shape_of_a_normal(returns: list[float]) -> None:
    sums = (sum(value**power for value in returns) for power in (1, 2, 3, 4))
    assert shape_of(len(returns), *sums) == (0.0, 3.0)
