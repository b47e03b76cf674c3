"""Products of 128 bits: exact ``a * b // c``, in plain Python and in compiled code.

Reserves have up to 62 bits, so their products do not fit into a machine integer. Python's integers are unbounded; in
compiled code the same functions divide a number of two words by one word. x86-64 has an instruction for this, which
LLVM does not emit by itself; other processors divide digit by digit.
"""

import platform
from typing import Any, Final

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import overload

from memesnipe.compiled import intrinsic_of, jitable

_MAX_INT: Final = 2**63 - 1
HAS_INSTRUCTION: Final = platform.machine() in ("x86_64", "AMD64")
if HAS_INSTRUCTION:
    llvmlite.binding.initialize_native_asmparser()  # LLVM parses the instruction when it compiles


def mul_div(a: int, b: int, c: int) -> int:
    """Return ``a * b // c`` for ``a, b >= 0`` and ``c > 0``; compiled, a result beyond 63 bits becomes 2**63 - 1."""
    return a * b // c


def mul_div_up(a: int, b: int, c: int) -> int:
    """Return ``a * b / c`` rounded up, for the same range of arguments."""
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
        quotient, remainder = _divide(_high_word(a, b), np.uint64(a) * np.uint64(b), np.uint64(c))
        return quotient + 1 if remainder and quotient < _MAX_INT else quotient

    return compiled


@intrinsic_of
def _high_word(typing_context: Any, a: Any, b: Any) -> Any:  # noqa: ARG001 - numba's protocol
    """Return the upper 64 bits of the product of two non-negative integers."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        word, double = ir.IntType(64), ir.IntType(128)
        product = builder.mul(*(builder.zext(arg, double) for arg in args))
        return builder.trunc(builder.lshr(product, double(64)), word)

    return types.uint64(types.int64, types.int64), generate


@intrinsic_of
def _leading_zeros(typing_context: Any, word: Any) -> Any:  # noqa: ARG001 - numba's protocol
    """Return the number of leading zero bits of a word."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.ctlz(args[0], ir.IntType(1)(0))

    return types.uint64(types.uint64), generate


@intrinsic_of
def divide_by_instruction(typing_context: Any, high: Any, low: Any, divisor: Any) -> Any:  # noqa: ARG001
    """Return quotient and remainder of a number of two words; ``high`` must be below ``divisor``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        form = ir.FunctionType(ir.LiteralStructType([word, word]), [word, word, word])
        # The instruction takes the low word in rax and the high word in rdx; it leaves quotient and remainder there.
        result = builder.asm(form, "divq $4", "={ax},={dx},{ax},{dx},r,~{flags}", [args[1], args[0], args[2]], False)
        return context.make_tuple(builder, signature.return_type, [builder.extract_value(result, i) for i in range(2)])

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64, types.uint64), generate


@jitable
def divide_by_digits(high: Any, low: Any, divisor: Any) -> Any:
    """Return what `divide_by_instruction` does, by schoolbook division in digits of 32 bits.

    Source: Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D. Compiled only: it requires 64-bit words.
    """
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    shift = _leading_zeros(divisor)
    if shift:  # normalise the divisor, so that the guess of a digit is too large by 2 at most
        divisor <<= shift
        high = (high << shift) | (low >> (np.uint64(64) - shift))
        low <<= shift
    upper, lower = divisor >> half, divisor & mask
    quotient: Any = np.uint64(0)
    for digit in (low >> half, low & mask):
        guess, remainder = high // upper, high % upper
        while guess > mask or guess * lower > ((remainder << half) | digit):
            guess -= np.uint64(1)
            remainder += upper
            if remainder > mask:
                break
        high = ((high << half) | digit) - guess * divisor  # modulo 2**64, which is exact here
        quotient = (quotient << half) | guess
    return quotient, high >> shift


_divide_words: Final = divide_by_instruction if HAS_INSTRUCTION else divide_by_digits


@jitable
def _divide(high: Any, low: Any, divisor: Any) -> Any:
    """Return quotient and remainder of a number of two words; a quotient beyond 63 bits becomes 2**63 - 1."""
    if high == np.uint64(0):
        return _saturated(low // divisor), low % divisor
    if high >= divisor:
        return np.int64(_MAX_INT), np.uint64(0)
    quotient, remainder = _divide_words(high, low, divisor)
    return _saturated(quotient), remainder


@jitable
def _saturated(word: Any) -> Any:
    return np.int64(min(word, np.uint64(_MAX_INT)))
