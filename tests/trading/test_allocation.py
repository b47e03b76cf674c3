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


@given(
    ESTIMATES,
    st.data(),
    st.floats(0.0, 1e6),
    st.floats(0.01, 1.0),
    st.floats(0.01, 1.0),
    st.floats(0.0, 100.0),
    st.floats(0.0, 2.0),
)
def test_no_capital_exceeds_the_cap_and_the_sum_stays_within_the_share(
    each: list[tuple[float, float, float]],
    data: st.DataObject,
    equity: float,
    one: float,
    all_: float,
    usd: float,
    investable: float,
) -> None:
    rows = data.draw(st.lists(st.sampled_from(range(len(each))), unique=True))
    shares = [Share(row, data.draw(SIZES), data.draw(st.booleans())) for row in rows]
    given_usd = allocate(shares, _estimates(*each), equity, Caps(one, all_, usd), investable)
    assert len(given_usd) == len(shares)
    assert all(0 <= value <= one * equity * (1 + 1e-12) for value in given_usd)
    assert sum(given_usd) <= all_ * equity * (1 + 1e-12)
    assert all(value * 100 == pytest.approx(round(value * 100)) for value in given_usd)
    least = usd * sum(share.has_place for share in shares)
    assert sum(given_usd) <= investable * equity * (1 + 1e-12) + least, "beyond the loss limit only probation"


def test_a_place_on_probation_has_the_probation_capital_where_nothing_is_expected_or_investable() -> None:
    shares = [Share(0, 0.5, True), Share(1, 0.1, True), Share(0, 0.5, False), Share(1, 0.5, False)]
    estimates = _estimates((0.5, 0.01, 0.1), (-0.5, 0.01, 0.1))
    assert allocate(shares, estimates, 1000.0, CAPS, 0.0) == [5.0, 5.0, 0.0, 0.0]
    assert allocate(shares, estimates, 1000.0, CAPS, 1.0) == [100.0, 5.0, 100.0, 0.0]


def test_capital_suffices_for_stakes_of_half_kelly_on_the_lower_bound() -> None:
    estimates = _estimates((0.02, 0.005, 0.3))
    stake = 0.5 * (0.02 - 0.005) / (0.3 + 0.02**2)
    assert kelly_shares(estimates).tolist() == [pytest.approx(stake)]
    (usd,) = allocate([Share(0, 0.5, True)], estimates, 1000.0, CAPS, 1.0)
    assert usd * 0.5 == pytest.approx(1000.0 * stake, abs=0.01)
    assert 5.0 < usd < 100.0, "neither the probation capital nor the cap"


def test_the_estimate_of_a_share_is_that_of_its_row() -> None:
    estimates = _estimates((-0.5, 0.01, 0.1), (0.5, 0.01, 0.1))
    assert allocate([Share(1, 1.0, True), Share(0, 1.0, True)], estimates, 1000.0, CAPS, 1.0) == [100.0, 5.0]


def test_what_is_investable_is_divided_in_proportion() -> None:
    estimates = _estimates((0.5, 0.01, 0.1), (0.02, 0.005, 0.3))
    shares = [Share(0, 1.0, False), Share(1, 1.0, False)]
    whole, less = (allocate(shares, estimates, 1000.0, CAPS, ratio) for ratio in (1.0, 0.06))
    assert sum(less) == pytest.approx(60.0, abs=0.02)
    assert less[0] / less[1] == pytest.approx(whole[0] / whole[1], rel=0.01)


def test_capital_beyond_the_sum_cap_is_divided_in_proportion() -> None:
    estimates = _estimates(*[(0.5, 0.01, 0.1)] * 9, (0.0, 0.01, 0.1))
    shares = [Share(row, 1.0, row == 9) for row in range(10)]
    given_usd = allocate(shares, estimates, 1000.0, CAPS, 1.0)
    assert given_usd[0] == given_usd[8]
    assert sum(given_usd) == pytest.approx(800.0, abs=0.1)
    assert given_usd[9] == pytest.approx(5.0, rel=0.02)


@pytest.mark.parametrize("equity", [0.0, -5.0])
def test_without_equity_every_capital_is_zero(equity: float) -> None:
    shares = [Share(0, 0.5, True), Share(0, 0.5, False)]
    assert allocate(shares, _estimates((0.5, 0.01, 0.1)), equity, CAPS, 1.0) == [0.0, 0.0]
    assert allocate([], _estimates((0.5, 0.01, 0.1)), 100.0, CAPS, 1.0) == []
