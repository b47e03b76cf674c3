"""Capital of strategies: probation, half Kelly on a lower bound, and caps that hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.shrinkage import Shrunk
from memesnipe.trading.allocation import Caps, Share, allocate
from memesnipe.trading.kelly import kelly_shares

CAPS = Caps()


def _estimates(*each: tuple[float, float, float]) -> Shrunk:
    """Estimates of strategies, each from mean, deviation of the mean, and variance."""
    means, deviations, variances = (np.array(column) for column in zip(*each, strict=True))
    return Shrunk(means, deviations, variances, 0.0, 0.0)


ESTIMATES = st.lists(
    st.tuples(st.floats(-1.0, 5.0), st.floats(0.0, 2.0), st.floats(1e-6, 10.0)), min_size=1, max_size=12
)
SIZES = st.floats(0.01, 1.0)


@given(ESTIMATES, st.data(), st.floats(0.0, 1e6), st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.floats(0.0, 100.0))
def test_no_capital_exceeds_the_cap_and_the_sum_stays_within_the_share(
    each: list[tuple[float, float, float]], data: st.DataObject, equity: float, one: float, all_: float, usd: float
) -> None:
    rows = data.draw(st.lists(st.sampled_from(range(len(each))), unique=True))
    shares = [Share(row, data.draw(SIZES), data.draw(st.booleans())) for row in rows]
    given_usd = allocate(shares, _estimates(*each), equity, Caps(one, all_, usd))
    assert len(given_usd) == len(shares)
    assert all(0 <= value <= one * equity * (1 + 1e-12) for value in given_usd)
    assert sum(given_usd) <= all_ * equity * (1 + 1e-12)
    assert all(value * 100 == pytest.approx(round(value * 100)) for value in given_usd)
    for share, value in zip(shares, given_usd, strict=True):
        assert share.is_proven or value <= usd, "more than the probation capital without proof"


def test_a_strategy_on_probation_has_the_probation_capital_whatever_its_estimate() -> None:
    estimates = _estimates((0.5, 0.01, 0.1), (-0.5, 0.01, 0.1))
    assert allocate([Share(0, 0.5, False), Share(1, 0.1, False)], estimates, 1000.0, CAPS) == [5.0, 5.0]


def test_a_proven_strategy_has_capital_for_stakes_of_half_kelly_on_the_lower_bound() -> None:
    estimates = _estimates((0.02, 0.005, 0.3))
    stake = 0.5 * (0.02 - 0.005) / (0.3 + 0.02**2)
    assert kelly_shares(estimates).tolist() == [pytest.approx(stake)]
    (usd,) = allocate([Share(0, 0.5, True)], estimates, 1000.0, CAPS)
    assert usd * 0.5 == pytest.approx(1000.0 * stake, abs=0.01)
    assert 5.0 < usd < 100.0, "neither the probation capital nor the cap"


def test_a_proven_strategy_keeps_the_probation_capital_where_its_lower_bound_is_not_positive() -> None:
    assert allocate([Share(0, 0.5, True)], _estimates((0.02, 0.02, 0.3)), 1000.0, CAPS) == [5.0]


def test_the_estimate_of_a_share_is_that_of_its_row() -> None:
    estimates = _estimates((-0.5, 0.01, 0.1), (0.5, 0.01, 0.1))
    assert allocate([Share(1, 1.0, True), Share(0, 1.0, True)], estimates, 1000.0, CAPS) == [100.0, 5.0]


def test_capital_beyond_the_sum_cap_is_divided_in_proportion() -> None:
    estimates = _estimates(*[(0.5, 0.01, 0.1)] * 10)
    shares = [Share(row, 1.0, row < 9) for row in range(10)]
    given_usd = allocate(shares, estimates, 1000.0, CAPS)
    assert given_usd[0] == given_usd[8]
    assert sum(given_usd) == pytest.approx(800.0, abs=0.1)
    assert given_usd[0] / given_usd[9] == pytest.approx(100.0 / 5.0, rel=0.01)


@pytest.mark.parametrize("equity", [0.0, -5.0])
def test_without_equity_every_capital_is_zero(equity: float) -> None:
    shares = [Share(0, 0.5, True), Share(0, 0.5, False)]
    assert allocate(shares, _estimates((0.5, 0.01, 0.1)), equity, CAPS) == [0.0, 0.0]
    assert allocate([], _estimates((0.5, 0.01, 0.1)), 100.0, CAPS) == []
