"""Numbers as text: what rounds to zero has no sign, and nothing is a power of ten."""

import math
from decimal import Decimal


def signed(value: float, form: str) -> str:
    """Return a number with its sign, or without one if all of its digits are zeros.

    Args:
        value: the number.
        form: a format specification without a sign, such as `,.2f` or `.1%`.
    """
    text = format(value, f"+{form}")
    return text if text.strip("+-0,.%") else text[1:]


def signed_usd(value: float) -> str:
    """Return USD with the sign before the currency, such as -$1.50."""
    text = signed(value, ",.2f")
    return f"{text[0]}${text[1:]}" if text[0] in "+-" else f"${text}"


def significant(value: float, digits: int) -> str:
    """Return a number with so many significant digits, and never as a power of ten: 53,420 and 0.0000012."""
    return f"{Decimal(f'{value:.{digits}g}'):,f}" if math.isfinite(value) else f"{value:g}"
