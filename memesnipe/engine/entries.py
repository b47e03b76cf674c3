"""Entries: the points at which the votes of a strategy may call for one, found 64 at a time (compiled).

A table has one bit for each combination of a strategy's votes, 3 ** MAX_GENES of them; it is made once from the weights
and the threshold. Bits of votes and table give the bits of the points.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types

from memesnipe.compiled import compiled, inlined, intrinsic_of, jitable
from memesnipe.engine.points import NO_POINT
from memesnipe.engine.trader import Batch
from memesnipe.sdk.strategy import BUY, HOLD, SELL

_ALL: Final = -1  # a word with all bits


@intrinsic_of
def _trailing_zeros(typing_context, word):  # type: ignore[no-untyped-def]  # noqa: ARG001 - numba's protocol
    """Return the position of the lowest bit of a word that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


@compiled
def write_tables(strategy_params: Any) -> None:
    """Write the tables of strategies, shape (n,), dtype STRATEGY_PARAMS: bit i + 3 j + 9 k for the votes i, j and k.

    A vote counts as 0: HOLD, 1: BUY, 2: SELL or SHORT. A gene that is not there holds.
    """
    for row in range(len(strategy_params)):
        strategy = strategy_params[row]
        strategy.buys = strategy.shorts = 0
        for combination in range(3**strategy.genes):
            score = 0.0
            rest = combination
            for gene in range(strategy.genes):
                sign = (HOLD, BUY, SELL)[rest % 3]
                rest //= 3
                score += strategy.weights[gene] * sign
            if strategy.genes == 1 and combination == 0:
                continue  # a single gene that holds calls for no entry even at a threshold of 0
            strategy.buys |= (score >= strategy.vote_threshold) << combination
            strategy.shorts |= (score <= -strategy.vote_threshold) << combination


@inlined
def entries_from(strategy: Any, batch: Batch, point: int) -> tuple[int, int]:
    """Return the word of a point, and the bits of the points from it on in this word at which an entry is possible."""
    word = point >> 6
    if word >= batch.planes.shape[2]:
        return word, 0
    return word, _entries(strategy, batch, word) & (_ALL << (point & 63))


@inlined
def next_entry(strategy: Any, batch: Batch, word: int, bits: int) -> tuple[int, int, int]:
    """Return the next point at which an entry is possible, or NO_POINT; and the word and the bits that are left then.

    No entry is missed. At a point where some gene does not vote, its standing vote may be spent by an earlier decision,
    so that the point need not be an entry.
    """
    while bits == 0:
        word += 1
        if word >= batch.planes.shape[2]:
            return NO_POINT, word, 0
        bits = _entries(strategy, batch, word)
    lowest = _trailing_zeros(bits)
    return (word << 6) + lowest, word, bits ^ (1 << lowest)


@inlined
def _entries(strategy: Any, batch: Batch, word: int) -> int:
    """Return the bits of one word's points at which an entry is possible."""
    low_1, high_1, fresh_1 = _votes_of(strategy, batch, 0, word)
    low_2, high_2, fresh_2 = _votes_of(strategy, batch, 1, word)
    low_3, high_3, fresh_3 = _votes_of(strategy, batch, 2, word)
    voted = (fresh_1 if strategy.genes >= 1 else 0) | (fresh_2 if strategy.genes >= 2 else 0)
    voted |= fresh_3 if strategy.genes == 3 else 0
    if low_1 | high_1 | low_2 | high_2 | low_3 | high_3 == 0:
        return voted if strategy.buys & 1 else 0  # all genes hold, as most do at most events
    found = _matching(strategy, low_1, high_1, fresh_1, low_2, high_2, fresh_2, low_3, high_3, fresh_3)
    return found & voted


@jitable
def _matching(
    strategy: Any, low_1: int, high_1: int, fresh_1: int, low_2: int, high_2: int, fresh_2: int, low_3: int,
    high_3: int, fresh_3: int,
) -> int:  # fmt: skip
    """Return the bits of the points whose votes are in one of the strategy's tables."""
    found = 0
    shorts = (high_1 & ~low_1) | (high_2 & ~low_2) | (high_3 & ~low_3)
    for is_short in range(2):
        table = strategy.shorts if is_short == 1 else strategy.buys
        if is_short == 1 and shorts == 0:
            break
        matching = 0
        for third in range(3):
            if table >> 9 * third & 0x1FF == 0:
                continue
            of_third = 0
            for second in range(3):
                slice_ = table >> (9 * third + 3 * second) & 7
                if slice_ == 0:
                    continue
                of_second = 0
                for first in range(3):
                    if slice_ >> first & 1:
                        of_second |= _having(low_1, high_1, fresh_1, first)
                of_third |= of_second & _having(low_2, high_2, fresh_2, second)
            matching |= of_third & _having(low_3, high_3, fresh_3, third)
        found |= matching & (shorts if is_short == 1 else _ALL)
    return found


@inlined
def _votes_of(strategy: Any, batch: Batch, gene: int, word: int) -> tuple[int, int, int]:
    """Return the low and the high bits of a gene's votes, and those of the points at which it votes."""
    if gene >= strategy.genes:
        return 0, 0, _ALL
    index = strategy.gene[gene]
    return (
        batch.planes[index, 0, word],
        batch.planes[index, 1, word],
        batch.points.fresh[batch.genes[index].subscription, word],
    )


@inlined
def _having(low: int, high: int, fresh: int, vote: int) -> int:
    """Return the bits of the points at which a gene has or may have a vote, numbered as in `write_tables`."""
    if vote == 1:
        return low & ~high
    if vote == 2:
        return high
    return ~(low | high) | ~fresh  # a standing vote may be spent
