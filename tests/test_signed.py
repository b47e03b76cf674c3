"""A value that rounds to zero is shown without a sign, whichever side of zero it is on."""

import pytest

from memesnipe.signed import signed, signed_usd


@pytest.mark.parametrize("nothing", [0.0, -0.0, 1e-17, -1e-17, 0.0004, -0.0004])
def test_what_rounds_to_zero_has_no_sign(nothing: float) -> None:
    assert (signed(nothing, ",.2f"), signed(nothing, ".1%"), signed_usd(nothing)) == ("0.00", "0.0%", "$0.00")


def test_what_does_not_has_one() -> None:
    assert (signed(1234.5, ",.2f"), signed(-0.0051, ".1%"), signed(-0.0006, ".1%")) == ("+1,234.50", "-0.5%", "-0.1%")
    assert (signed(float("-inf"), ".2%"), signed(1e9, ",.0f")) == ("-inf%", "+1,000,000,000")
    assert (signed_usd(-1234.5), signed_usd(0.005001)) == ("-$1,234.50", "+$0.01")
