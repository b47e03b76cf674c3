from hypothesis import given
from hypothesis import strategies as st

from memesnipe.market.assumptions import describe
from memesnipe.market.events import empty
from memesnipe.tapes.tape import Tape


def test_the_most_serious_assumption_is_first_and_given_values_are_omitted() -> None:
    sentences = describe(
        {"time_unit": "ns", "decimals": {"value": 6, "assumed": False}, "pools": {"pools": 2, "chained": 1}}
    )
    assert len(sentences) == 1
    assert "not recorded (2 of them, 1 follow their trades exactly)" in sentences[0]
    assert describe({}) == []


@given(st.dictionaries(st.sampled_from(["order", "colour", "decimal_mark", "venue"]), st.text(max_size=9), max_size=4))
def test_every_assumption_is_described(assumptions: dict[str, str]) -> None:
    sentences = describe(assumptions)
    assert len(sentences) == len(assumptions)
    assert all(any(value in sentence for sentence in sentences) for value in assumptions.values())


def test_only_assumed_pools_forbid_promotion() -> None:
    assert Tape(empty(0), [], {"pools": {}}).pools_are_assumed
    assert not Tape(empty(0), [], {"venue": "pump_curve"}).pools_are_assumed
