"""Published numbers of papers, and the numerical precision of formulas."""

import math
from statistics import NormalDist

import pytest

from memesnipe.stats.deflated import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe_ratio,
)
from memesnipe.stats.sharpe import Sharpe, standard_error


@pytest.mark.parametrize(("year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_minimum_track_record_of_normal_returns_matches_the_paper(year: int, years: float) -> None:
    """Bailey & Lopez de Prado 2012, on the minimum track record length: daily, weekly and monthly, at 95%."""
    sharpe = Sharpe(2.0 / math.sqrt(year), year, 1.0, 0.0, 3.0)
    assert minimum_track_record(sharpe, 1.0 / math.sqrt(year), 0.95) / year == pytest.approx(years, abs=0.005)


def test_minimum_track_record_of_hedge_funds_matches_the_paper() -> None:
    """The same paper: monthly returns with the skewness -0.72 and the kurtosis 5.78 of hedge funds."""
    sharpe = Sharpe(2.0 / math.sqrt(12), 60, 1.0, -0.72, 5.78)
    assert minimum_track_record(sharpe, 1.0 / math.sqrt(12), 0.95) / 12 == pytest.approx(4.99, abs=0.005)


def test_normal_returns_permit_twice_the_trials() -> None:
    """Bailey & Lopez de Prado 2014: 46 trials at skewness -3 and kurtosis 10 equal 88 for normal returns."""
    fat = Sharpe(2.5 / math.sqrt(250), 1250, 1.0, -3.0, 10.0)
    normal = Sharpe(2.5 / math.sqrt(250), 1250, 1.0, 0.0, 3.0)
    assert [deflated_sharpe_ratio(fat, trials, 0.002) > 0.95 for trials in (46, 47)] == [True, False]
    assert [deflated_sharpe_ratio(normal, trials, 0.002) > 0.95 for trials in (88, 89)] == [True, False]


@pytest.mark.parametrize("trials", [10**9, 10**12])
def test_quantiles_are_precise_for_any_number_of_trials(trials: int) -> None:
    # Invert the formula with erfc, which is precise in the tail, unlike 1 - cdf(x).
    quantiles = [-NormalDist().inv_cdf(1.0 / (trials * scale)) for scale in (1.0, math.e)]
    tails = [math.erfc(q / math.sqrt(2)) / 2 * trials for q in quantiles]
    assert tails == pytest.approx([1.0, 1.0 / math.e], rel=1e-10)
    gamma = 0.577215664901532860606512
    expected = (1 - gamma) * quantiles[0] + gamma * quantiles[1]
    assert expected_maximum_sharpe(trials, 4.0) == pytest.approx(2.0 * expected, rel=1e-12)


@pytest.mark.parametrize("confidence", [-0.1, 0.0, 0.3, 1.0, math.nan])
def test_an_invalid_confidence_is_rejected(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        minimum_track_record(Sharpe(0.1, 100, 1.0, 0.0, 3.0), 0.0, confidence)


def test_negative_skew_and_fat_tails_increase_the_standard_error() -> None:
    plain = Sharpe(0.2, 100, 1.0, 0.0, 3.0)
    skewed, fat = Sharpe(0.2, 100, 1.0, -1.0, 3.0), Sharpe(0.2, 100, 1.0, 0.0, 9.0)
    assert standard_error(plain) == pytest.approx(math.sqrt((1 + 0.2**2 / 2) / 99))  # Lo 2002
    assert probabilistic_sharpe_ratio(skewed, 0.0) < probabilistic_sharpe_ratio(plain, 0.0)
    assert probabilistic_sharpe_ratio(fat, 0.0) < probabilistic_sharpe_ratio(plain, 0.0)
