"""Shares of the capital: caps that hold, records that count by their length, copies that share one share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.trading.allocation import Caps, TrackRecord, allocate, independence, shrunk_sharpes

CAPS = Caps()
SERIES = st.lists(st.floats(-0.2, 0.2), max_size=20)
CANDIDATES = st.dictionaries(
    st.text(min_size=1, max_size=3),
    st.builds(TrackRecord, st.floats(-100, 1000), st.integers(0, 5000), SERIES),
    max_size=12,
)
CENT = 0.01


def _same(sharpe: float, periods: int = 1000) -> TrackRecord:
    return TrackRecord(sharpe, periods)


@given(CANDIDATES, st.floats(0, 1e6), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_no_allocation_exceeds_the_cap_and_their_sum_stays_within_the_share(
    candidates: dict[str, TrackRecord], equity: float, one: float, everyone: float
) -> None:
    given_usd = allocate(candidates, equity, Caps(one, everyone))
    assert set(given_usd) == set(candidates)
    assert all(0 <= usd <= one * equity * (1 + 1e-12) for usd in given_usd.values())
    assert sum(given_usd.values()) <= everyone * equity * (1 + 1e-12)
    assert all(usd * 100 == pytest.approx(round(usd * 100)) for usd in given_usd.values())


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(-100, 1000), max_size=30), st.floats(1, 1e6))
def test_for_equal_record_lengths_a_higher_sharpe_never_gets_less(sharpes: dict[str, float], equity: float) -> None:
    given_usd = allocate({name: _same(sharpe) for name, sharpe in sharpes.items()}, equity, CAPS)
    ranked = sorted(sharpes, key=lambda name: sharpes[name])
    assert [given_usd[name] for name in ranked] == sorted(given_usd.values())


def test_below_the_cap_capital_is_proportional_to_the_shrunk_sharpe() -> None:
    candidates = {str(i): _same(1.0) for i in range(9)} | {"best": _same(1e6)}
    given_usd = allocate(candidates, 1000.0, CAPS)
    assert given_usd["best"] == 100.0  # the cap
    equal = allocate({str(i): _same(1.0) for i in range(10)}, 1000.0, CAPS)
    assert set(equal.values()) == {80.0}


def test_a_short_record_is_shrunk_to_the_mean_and_a_long_one_is_not() -> None:
    short, long, other = shrunk_sharpes([TrackRecord(9.0, 6), TrackRecord(9.0, 6000), TrackRecord(0.0, 60)])
    mean = 6.0
    assert short == pytest.approx(6 / 66 * 9 + 60 / 66 * mean)
    assert long == pytest.approx(9.0, rel=0.01)
    assert other == pytest.approx(mean / 2)
    assert (shrunk_sharpes([TrackRecord(-9.0, 60), TrackRecord(-3.0, 60)]) < 0).all()  # losers lift nobody


def test_copies_of_one_strategy_share_the_allocation_of_one() -> None:
    wave = np.sin(np.arange(40.0)).tolist()
    other = np.cos(np.arange(40.0) * 7).tolist()
    shares = independence([wave] * 4 + [other])
    assert shares[:4].sum() == pytest.approx(1.0, rel=0.15)
    assert shares[4] == pytest.approx(1.0, rel=0.3)
    opposite = [-change for change in wave]
    assert independence([wave, opposite]).tolist() == [1.0, 1.0]
    assert independence([wave[:3], wave]).tolist() == [1.0, 1.0]  # too short to tell
    assert independence([[0.0] * 9, wave]).tolist() == [1.0, 1.0]
    candidates = {str(i): TrackRecord(1.0, 1000, wave) for i in range(4)} | {"other": TrackRecord(1.0, 1000, other)}
    given_usd = allocate(candidates, 1000.0, Caps(strategy=1.0))
    assert given_usd["other"] > 2 * given_usd["0"]


def _pair_by_pair(changes: list[list[float]]) -> list[float]:
    """The same as its definition says it."""
    crowd = [0.0] * len(changes)
    for i, one in enumerate(changes):
        for j, other in enumerate(changes):
            length = min(len(one), len(other))
            if i == j or length < 5:
                continue
            a, b = np.array(one[-length:]), np.array(other[-length:])
            if min(a.std(), b.std()) * length**0.5 > 1e-9:
                crowd[i] += max(float(np.corrcoef(a, b)[0, 1]), 0.0)
    return [1.0 / (1.0 + c) for c in crowd]


CHANGES = st.lists(st.lists(st.floats(-0.2, 0.2).map(lambda x: round(x, 3)), max_size=12), max_size=9)


@given(CHANGES)
def test_independence_equals_its_pairwise_definition(changes: list[list[float]]) -> None:
    assert independence(changes).tolist() == pytest.approx(_pair_by_pair(changes), abs=1e-6)


@pytest.mark.parametrize(
    ("sharpes", "equity"), [({}, 100.0), ({"a": 0.0}, 100.0), ({"a": 1.0}, 0.0), ({"a": 1.0}, -5.0)]
)
def test_without_a_positive_score_or_equity_every_allocation_is_zero(sharpes: dict[str, float], equity: float) -> None:
    candidates = {name: _same(sharpe) for name, sharpe in sharpes.items()}
    assert allocate(candidates, equity, CAPS) == dict.fromkeys(sharpes, 0.0)
