"""Numeric options: a value in range, or a one-line error that names the option, the value and the range."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.cli.numbers import integer_parser, number_parser
from memesnipe.errors import InputError

TEXTS = st.one_of(
    st.text(max_size=80), st.floats().map(repr), st.integers().map(str), st.integers(0, 5000).map(lambda n: "9" * n)
)


@given(TEXTS)
def test_a_number_is_in_range_or_refused_in_one_line(text: str) -> None:
    try:
        found = number_parser("--x", 0.5, 1e9)(text)
    except InputError as error:
        assert str(error).startswith("--x ")
        assert str(error).endswith(": must be a number from 0.5 to 1000000000")
        assert "\n" not in str(error)
        assert len(str(error)) < 200
    else:
        assert 0.5 <= found <= 1e9


@given(TEXTS)
def test_a_whole_number_is_in_range_or_refused_in_one_line(text: str) -> None:
    try:
        found = integer_parser("--x", -3, 50)(text)
    except InputError as error:
        assert str(error).endswith(": must be a whole number from -3 to 50")
        assert "\n" not in str(error)
    else:
        assert isinstance(found, int)
        assert -3 <= found <= 50


def test_the_default_passes_through_the_parser() -> None:
    assert number_parser("--x", 0, 1)(0.5) == 0.5
    assert integer_parser("--x", 0, 9)(7) == 7
    with pytest.raises(InputError, match="--x nan: must be a number from 0 to 1, or max"):
        number_parser("--x", 0, 1, other=", or max")(math.nan)
