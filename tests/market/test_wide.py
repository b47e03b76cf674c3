"""Products of 128 bits: the compiled form against Python's own integers."""

from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit

from memesnipe.market.wide import mul_div, mul_div_up

LARGEST = 2**63 - 1
EDGES = sorted(
    {0, 1, 2, 3, 10_000, 3_037_000_499, 3_037_000_500, LARGEST - 1, LARGEST}
    | {2**bits + off for bits in (31, 32, 33, 61, 62) for off in (-1, 0, 1)}
)
NUMBERS = st.one_of(st.integers(0, LARGEST), st.integers(0, 63).flatmap(lambda b: st.integers(0, (1 << b) - 1)))


@njit  # the call is what compiles to the other form; the function itself would be compiled as it stands
def compiled_mul_div(a: int, b: int, c: int) -> int:
    return mul_div(a, b, c)


@njit
def compiled_mul_div_up(a: int, b: int, c: int) -> int:
    return mul_div_up(a, b, c)


def _check(a: int, b: int, c: int) -> None:
    assert mul_div(a, b, c) == a * b // c
    assert mul_div_up(a, b, c) == -(-(a * b) // c)
    assert compiled_mul_div(a, b, c) == min(a * b // c, LARGEST)
    assert compiled_mul_div_up(a, b, c) == min(-(-(a * b) // c), LARGEST)


@settings(max_examples=5000)
@given(NUMBERS, NUMBERS, NUMBERS.filter(bool))
@example(LARGEST, LARGEST, LARGEST)
@example(2, 2**62, 1)  # a product of 64 bits that is its own quotient
def test_any_product_is_divided_exactly_and_what_is_too_large_becomes_the_largest(a: int, b: int, c: int) -> None:
    _check(a, b, c)


def test_at_the_edges_too() -> None:
    for a, b, c in product(EDGES, EDGES, EDGES[1:]):
        _check(a, b, c)


@given(NUMBERS, NUMBERS.filter(bool))
def test_times_and_through_the_same_number_is_no_change(a: int, b: int) -> None:
    assert compiled_mul_div(a, b, b) == compiled_mul_div_up(a, b, b) == a
