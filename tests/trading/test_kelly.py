"""Half Kelly on a lower bound, and caps that only ever reduce."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.shrinkage import Shrunk
from memesnipe.trading.kelly import cap_shares, kelly_shares

SHARES = st.lists(st.floats(0.0, 2.0), min_size=1, max_size=20)


def _expected(means: list[float], deviations: list[float], variances: list[float]) -> Shrunk:
    return Shrunk(np.array(means), np.array(deviations), np.array(variances), 0.0, 0.0)


def test_the_share_is_half_of_kelly_on_the_lower_bound() -> None:
    shares = kelly_shares(_expected([0.3, 0.3, 0.3], [0.0, 0.1, 0.3], [0.91, 0.91, 0.91]))
    assert shares.tolist() == pytest.approx([0.15, 0.10, 0.0])


@given(st.floats(-1.0, 1.0), st.floats(0.0, 1.0), st.floats(0.01, 2.0))
def test_it_is_positive_exactly_for_an_expectation_beyond_its_deviation(
    mean: float, deviation: float, variance: float
) -> None:
    share = kelly_shares(_expected([mean], [deviation], [variance]))[0]
    assert (share > 0.0) == (mean > deviation)
    assert share <= 0.5 * max(mean, 0.0) / (variance + mean * mean)


def test_a_fair_coin_with_an_edge_has_its_textbook_share() -> None:
    """A coin that pays +1 with probability 0.6 and else -1: Kelly's share is 0.2."""
    assert kelly_shares(_expected([0.2], [0.0], [0.96]))[0] == pytest.approx(0.1)


@given(SHARES, st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_all_caps_hold_and_nothing_grows(shares: list[float], each: float, total: float) -> None:
    capped = cap_shares(np.array(shares), each, total)
    assert (capped >= 0.0).all()
    assert (capped <= np.minimum(shares, each)).all()
    assert capped.sum() <= total * (1 + 1e-12)


def test_within_the_caps_nothing_changes() -> None:
    shares = np.array([0.1, 0.2, 0.0])
    assert cap_shares(shares, 0.5, 0.8).tolist() == shares.tolist()


def test_what_a_cap_removes_stays_in_cash() -> None:
    assert cap_shares(np.array([0.9, 0.1]), 0.2, 0.8).tolist() == pytest.approx([0.2, 0.1])


def test_every_strategy_may_have_its_own_cap() -> None:
    assert cap_shares(np.array([0.3, 0.3]), np.array([0.01, 1.0]), 1.0).tolist() == [0.01, 0.3]


def test_no_strategies_have_no_shares() -> None:
    assert cap_shares(np.zeros(0), 0.1, 0.8).tolist() == []
