"""Products of 128 bits: the compiled form against Python's integers."""

import random
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit, uint64

from memesnipe.market.wide import HAS_INSTRUCTION, divide_by_digits, divide_by_instruction, mul_div, mul_div_up

MAX_INT = 2**63 - 1
EDGES = sorted(
    {0, 1, 2, 3, 10_000, 3_037_000_499, 3_037_000_500, MAX_INT - 1, MAX_INT}
    | {2**bits + off for bits in (31, 32, 33, 61, 62) for off in (-1, 0, 1)}
)
NUMBERS = st.one_of(st.integers(0, MAX_INT), st.integers(0, 63).flatmap(lambda b: st.integers(0, (1 << b) - 1)))


@njit  # only a call from compiled code uses the overload
def compiled_mul_div(a: int, b: int, c: int) -> int:
    return mul_div(a, b, c)


@njit
def compiled_mul_div_up(a: int, b: int, c: int) -> int:
    return mul_div_up(a, b, c)


@njit
def by_digits(high: int, low: int, divisor: int) -> tuple[int, int]:
    return divide_by_digits(uint64(high), uint64(low), uint64(divisor))


@njit
def by_instruction(high: int, low: int, divisor: int) -> tuple[int, int]:
    return divide_by_instruction(uint64(high), uint64(low), uint64(divisor))


# Hypothesis draws a thousand numbers a second, and this a hundred times as many: of every length alike.
_RANDOM = random.Random(1)
WORDS_OF_ANY_LENGTH = [tuple(_RANDOM.getrandbits(_RANDOM.randint(1, 64)) for _ in range(3)) for _ in range(10_000)]

WORDS = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 64).flatmap(lambda b: st.integers(0, (1 << b) - 1)))
WAYS = [by_digits, pytest.param(by_instruction, marks=pytest.mark.skipif(not HAS_INSTRUCTION, reason="not x86-64"))]


@pytest.mark.parametrize("divide", WAYS)
@settings(max_examples=200)
@given(WORDS, WORDS, WORDS.filter(bool))
@example(2**64 - 2, 2**64 - 1, 2**64 - 1)
def test_each_division_of_two_words_is_exact(divide, high: int, low: int, divisor: int) -> None:
    _check_division(divide, high, low, divisor)


@pytest.mark.parametrize("divide", WAYS)
def test_each_division_of_many_words_is_exact(divide) -> None:
    for high, low, divisor in WORDS_OF_ANY_LENGTH:
        _check_division(divide, high, low, divisor or 1)


def _check_division(divide, high: int, low: int, divisor: int) -> None:
    high %= divisor
    expected = divmod((high << 64) | low, divisor)
    assert divide(np.uint64(high), np.uint64(low), np.uint64(divisor)) == expected


def _check(a: int, b: int, c: int) -> None:
    assert mul_div(a, b, c) == a * b // c
    assert mul_div_up(a, b, c) == -(-(a * b) // c)
    assert compiled_mul_div(a, b, c) == min(a * b // c, MAX_INT)
    assert compiled_mul_div_up(a, b, c) == min(-(-(a * b) // c), MAX_INT)


@settings(max_examples=500)
@given(NUMBERS, NUMBERS, NUMBERS.filter(bool))
@example(MAX_INT, MAX_INT, MAX_INT)
@example(2, 2**62, 1)  # a product of 64 bits equal to its quotient
def test_division_is_exact_and_saturates(a: int, b: int, c: int) -> None:
    _check(a, b, c)


def test_division_of_many_numbers() -> None:
    for words in WORDS_OF_ANY_LENGTH:
        a, b, c = (word >> 1 for word in words)
        _check(a, b, c or 1)


def test_division_at_edge_values() -> None:
    for a, b, c in product(EDGES, EDGES, EDGES[1:]):
        _check(a, b, c)


@given(NUMBERS, NUMBERS.filter(bool))
def test_multiplying_and_dividing_by_the_same_number_is_the_identity(a: int, b: int) -> None:
    assert compiled_mul_div(a, b, b) == compiled_mul_div_up(a, b, b) == a
