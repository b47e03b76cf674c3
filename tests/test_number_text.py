"""A value that rounds to zero is shown without a sign, and none as a power of ten."""

import pytest

from memesnipe.number_text import signed, signed_usd, significant


@pytest.mark.parametrize("nothing", [0.0, -0.0, 1e-17, -1e-17, 0.0004, -0.0004])
def test_what_rounds_to_zero_has_no_sign(nothing: float) -> None:
    assert (signed(nothing, ",.2f"), signed(nothing, ".1%"), signed_usd(nothing)) == ("0.00", "0.0%", "$0.00")


def test_what_does_not_has_one() -> None:
    assert (signed(1234.5, ",.2f"), signed(-0.0051, ".1%"), signed(-0.0006, ".1%")) == ("+1,234.50", "-0.5%", "-0.1%")
    assert (signed(float("-inf"), ".2%"), signed(1e9, ",.0f")) == ("-inf%", "+1,000,000,000")
    assert (signed_usd(-1234.5), signed_usd(0.005001)) == ("-$1,234.50", "+$0.01")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (53_421.7, "53,420"),
        (1.23456e-6, "0.000001235"),
        (400.0, "400"),
        (3.2, "3.2"),
        (0.0, "0"),
        (float("inf"), "inf"),
    ],
)
def test_no_number_is_a_power_of_ten(value: float, text: str) -> None:
    assert significant(value, 4) == text
