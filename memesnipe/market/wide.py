"""Products of 128 bits: ``a * b // c`` exact to the last digit, in plain Python and in compiled code.

Reserves have up to 60 bits, so their products do not fit into a machine's integer. Python's integers do not care;
in compiled code the same function names stand for a division of two words by one.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import overload

from memesnipe.compiled import intrinsic_of, jitable

_LARGEST = 2**63 - 1


def mul_div(a: int, b: int, c: int) -> int:
    """``a * b // c`` for ``a, b >= 0`` and ``c > 0``; compiled, a result beyond 63 bits becomes the largest one."""
    return a * b // c


def mul_div_up(a: int, b: int, c: int) -> int:
    """``a * b / c`` rounded up, for the same numbers."""
    return -(-a * b // c)


@overload(mul_div)  # type: ignore[untyped-decorator]
def _mul_div(a: Any, b: Any, c: Any) -> Any:  # noqa: ARG001 - numba matches the names
    def compiled(a: Any, b: Any, c: Any) -> Any:
        quotient, _ = _divide(_high_word(a, b), np.uint64(a) * np.uint64(b), np.uint64(c))
        return quotient

    return compiled


@overload(mul_div_up)  # type: ignore[untyped-decorator]
def _mul_div_up(a: Any, b: Any, c: Any) -> Any:  # noqa: ARG001
    def compiled(a: Any, b: Any, c: Any) -> Any:
        quotient, rest = _divide(_high_word(a, b), np.uint64(a) * np.uint64(b), np.uint64(c))
        return quotient + 1 if rest and quotient < _LARGEST else quotient

    return compiled


@intrinsic_of
def _high_word(typing_context: Any, a: Any, b: Any) -> Any:  # noqa: ARG001 - numba's protocol
    """The upper 64 bits of the product of two integers that are not negative."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        word, double = ir.IntType(64), ir.IntType(128)
        product = builder.mul(*(builder.zext(arg, double) for arg in args))
        return builder.trunc(builder.lshr(product, double(64)), word)

    return types.uint64(types.int64, types.int64), generate


@intrinsic_of
def _leading_zeros(typing_context: Any, word: Any) -> Any:  # noqa: ARG001 - numba's protocol
    """How many zero bits a word begins with."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.ctlz(args[0], ir.IntType(1)(0))

    return types.uint64(types.uint64), generate


@jitable
def _divide(high: Any, low: Any, divisor: Any) -> Any:
    """Quotient and rest of a number of two words, by schoolbook division in digits of 32 bits.

    Source: Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D. Compiled only: it counts on 64-bit words.
    """
    if high == np.uint64(0):
        return _saturated(low // divisor), low % divisor
    if high >= divisor:
        return np.int64(_LARGEST), np.uint64(0)
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    shift = _leading_zeros(divisor)
    if shift:  # bring the divisor's highest bit to the top, so that a digit is guessed right but for 2
        divisor <<= shift
        high = (high << shift) | (low >> (np.uint64(64) - shift))
        low <<= shift
    upper, lower = divisor >> half, divisor & mask
    quotient: Any = np.uint64(0)
    for digit in (low >> half, low & mask):
        guess, rest = high // upper, high % upper
        while guess > mask or guess * lower > ((rest << half) | digit):
            guess -= np.uint64(1)
            rest += upper
            if rest > mask:
                break
        high = ((high << half) | digit) - guess * divisor  # modulo 2**64, which is exact here
        quotient = (quotient << half) | guess
    return _saturated(quotient), high >> shift


@jitable
def _saturated(word: Any) -> Any:
    return np.int64(min(word, np.uint64(_LARGEST)))
