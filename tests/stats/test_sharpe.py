import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.running import sharpe_ratio
from memesnipe.stats.sharpe import Sharpe, sharpe_of, standard_error

RETURNS = st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=60)


@given(RETURNS)
def test_sharpe_is_mean_over_deviation_and_matches_running_sums(values: list[float]) -> None:
    sharpe = sharpe_of(np.array(values), 60.0)
    total, squares = math.fsum(values), math.fsum(v * v for v in values)
    assert sharpe.annualised == pytest.approx(sharpe_ratio(len(values), total, squares), rel=1e-4, abs=1e-3)
    if sharpe.ratio:
        assert sharpe.ratio == pytest.approx(statistics.mean(values) / statistics.stdev(values), rel=1e-6, abs=1e-9)


def test_the_shape_of_known_distributions() -> None:
    rng = np.random.default_rng(1)
    normal, exponential = sharpe_of(rng.normal(0, 1, 200_000), 1.0), sharpe_of(rng.exponential(1, 200_000), 1.0)
    assert (normal.skewness, normal.kurtosis) == (pytest.approx(0, abs=0.02), pytest.approx(3, abs=0.05))
    assert (exponential.skewness, exponential.kurtosis) == (pytest.approx(2, abs=0.1), pytest.approx(9, abs=0.8))
    assert exponential.ratio == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("values", [[], [0.1], [0.1] * 9, [0.0] * 3])
def test_constant_returns_have_no_ratio(values: list[float]) -> None:
    sharpe = sharpe_of(np.array(values), 60.0)
    assert sharpe == Sharpe(0.0, len(values), 60.0, 0.0, 3.0)


@pytest.mark.parametrize("draw", ["normal", "gumbel"])
def test_the_standard_error_matches_the_deviation_of_estimates(draw: str) -> None:
    rng = np.random.default_rng(3)
    returns = getattr(rng, draw)(0.2, 1.0, (4000, 250))
    estimates = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    expected = [standard_error(sharpe_of(row, 60.0)) for row in returns[:400]]
    assert statistics.mean(expected) == pytest.approx(float(estimates.std()), rel=0.06)


def test_the_standard_error_is_infinite_without_data_and_never_imaginary() -> None:
    assert standard_error(Sharpe(0.0, 1, 60.0, 0.0, 3.0)) == math.inf
    assert standard_error(Sharpe(1.0, 100, 60.0, 9.0, 10.0)) > 0.0


def test_a_year_has_365_days() -> None:
    assert Sharpe(0.5, 10, 86_400.0, 0.0, 3.0).annualised == 0.5 * math.sqrt(365)
