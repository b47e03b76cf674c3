import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.deflated import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_track_record,
    null_variance,
    probabilistic_sharpe_ratio,
)
from memesnipe.stats.sharpe import Sharpe

# Bailey & Lopez de Prado 2014, "A numerical example": 1,250 daily returns, an annualised ratio of 2.5 at 250 days a
# year, skewness -3, kurtosis 10, and a variance of 1/2 among the annualised ratios of the trials.
PAPER = Sharpe(2.5 / math.sqrt(250), 1250, 86_400.0, -3.0, 10.0)
VARIANCE = 0.5 / 250


@pytest.mark.parametrize(("trials", "benchmark", "deflated"), [(100, 0.1132, 0.9004), (46, None, 0.9505)])
def test_deflated_sharpe_matches_the_papers_example(trials: int, benchmark: float | None, deflated: float) -> None:
    if benchmark is not None:
        assert expected_maximum_sharpe(trials, VARIANCE) == pytest.approx(benchmark, abs=1e-4)
    assert deflated_sharpe_ratio(PAPER, trials, VARIANCE) == pytest.approx(deflated, abs=1e-3)


def test_probabilistic_sharpe_matches_the_papers_example() -> None:
    """Bailey & Lopez de Prado 2012: 24 months at a monthly ratio of 0.458, with and without their skew and tails."""
    assert probabilistic_sharpe_ratio(Sharpe(0.458, 24, 1.0, 0.0, 3.0), 0.0) == pytest.approx(0.982, abs=1e-3)
    assert probabilistic_sharpe_ratio(Sharpe(0.458, 24, 1.0, -2.448, 10.164), 0.0) == pytest.approx(0.913, abs=1e-3)


@pytest.mark.parametrize(("trials", "off"), [(2, 0.1), (10, 0.04), (300, 0.01)])
def test_the_expected_maximum_approximates_that_of_normal_draws(trials: int, off: float) -> None:
    drawn = np.random.default_rng(1).normal(0.0, 0.3, (40_000, trials)).max(axis=1).mean()
    assert expected_maximum_sharpe(trials, 0.09) == pytest.approx(drawn, rel=off)


def test_the_expected_maximum_is_precise_for_any_number_of_trials() -> None:
    found = [expected_maximum_sharpe(10**power, 1.0) for power in range(13)]
    assert found[0] == 0.0
    assert found == sorted(found)
    assert found[12] == pytest.approx(math.sqrt(2 * 12 * math.log(10)), rel=0.06)  # the leading term for large N
    with pytest.raises(ValueError, match="variance"):
        expected_maximum_sharpe(10, -1.0)


@given(st.floats(-0.5, 0.5), st.integers(3, 5000), st.integers(1, 10**9))
def test_deflated_sharpe_never_rises_with_the_trials(ratio: float, periods: int, trials: int) -> None:
    sharpe = Sharpe(ratio, periods, 60.0, 0.0, 3.0)
    variance = null_variance(periods)
    assert deflated_sharpe_ratio(sharpe, trials + 1, variance) <= deflated_sharpe_ratio(sharpe, trials, variance)
    assert deflated_sharpe_ratio(sharpe, 1, variance) == probabilistic_sharpe_ratio(sharpe, 0.0)


def test_ratios_without_observations_have_no_evidence() -> None:
    assert probabilistic_sharpe_ratio(Sharpe(0.0, 1, 60.0, 0.0, 3.0), 0.0) == 0.0
    assert null_variance(1) == 0.0


def test_null_variance_matches_estimates_without_skill() -> None:
    returns = np.random.default_rng(2).normal(0.0, 0.01, (20_000, 100))
    estimates = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    assert null_variance(100) == pytest.approx(float(estimates.var()), rel=0.05)


def test_the_minimum_track_record_reaches_the_confidence() -> None:
    sharpe = Sharpe(0.1, 50, 60.0, -1.0, 6.0)
    periods = minimum_track_record(sharpe, 0.02, 0.95)
    just = Sharpe(0.1, round(periods), 60.0, -1.0, 6.0)
    assert probabilistic_sharpe_ratio(just, 0.02) == pytest.approx(0.95, abs=1e-3)
    assert minimum_track_record(sharpe, 0.1, 0.95) == math.inf
