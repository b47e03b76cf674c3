import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.trading.allocation import INVESTED_SHARE, MAX_SHARE, allocate

SHARPES = st.dictionaries(st.text(min_size=1, max_size=3), st.floats(-100, 1000), max_size=30)
CENT = 0.01


@given(SHARPES, st.floats(0, 1e6))
def test_nobody_gets_more_than_the_cap_and_all_together_no_more_than_their_share(
    sharpes: dict[str, float], equity: float
) -> None:
    given_usd = allocate(sharpes, equity)
    assert set(given_usd) == set(sharpes)
    assert all(0 <= usd <= MAX_SHARE * equity + CENT for usd in given_usd.values())
    assert sum(given_usd.values()) <= INVESTED_SHARE * equity + CENT * len(sharpes)
    assert all(usd == 0 for spec_id, usd in given_usd.items() if sharpes[spec_id] <= 0)


@given(SHARPES, st.floats(1, 1e6))
def test_a_better_record_never_gets_less(sharpes: dict[str, float], equity: float) -> None:
    given_usd = allocate(sharpes, equity)
    ranked = sorted(sharpes, key=lambda spec_id: sharpes[spec_id])
    assert [given_usd[s] for s in ranked] == sorted(given_usd.values())


def test_capital_goes_in_proportion_to_the_sharpe_ratio_below_the_cap() -> None:
    sharpes = {str(i): 1.0 for i in range(9)} | {"twice": 2.0}
    given_usd = allocate(sharpes, 1100.0)
    assert given_usd["0"] == pytest.approx(80.0)
    assert given_usd["twice"] == pytest.approx(110.0)  # not 160: the cap


@pytest.mark.parametrize(("sharpes", "equity"), [({}, 100.0), ({"a": 0.0}, 100.0), ({"a": 1.0}, 0.0), ({"a": 1}, -5)])
def test_without_merit_or_money_nobody_gets_anything(sharpes: dict[str, float], equity: float) -> None:
    assert allocate(sharpes, equity) == dict.fromkeys(sharpes, 0.0)
