"""Prices that trades without reserves say: which trades say one, and which price no trade can have made.

Everything here is per token, in the order of the chain, and in logarithms of lamports per raw token.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Below these an amount is rounded too much to say a price to a thousandth, or is all rent and tips.
MIN_PRICE_LAMPORTS: Final = 10_000_000  # 0.01 SOL; less where half of a token's trades are smaller
MIN_PRECISE: Final = 1_000  # smallest units, of either amount
NEIGHBOURS: Final = 9  # trades on either side that a price is compared with
JUMP: Final = float(np.log(2.0))  # beyond what its own size can make, from the trades before and from those after
JUMP_AT_THE_ENDS: Final = float(np.log(10.0))  # where there are trades on one side only


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows sorted by token, then in chain order: where each token's rows begin and end, for every row."""

    start: Ints  # shape (n,)
    end: Ints  # shape (n,), exclusive

    @staticmethod
    def of(tokens: Ints) -> "Runs":
        """The runs of equal numbers in ``tokens``, shape (n,)."""
        count = len(tokens)
        changes = np.flatnonzero(np.diff(tokens)) + 1
        edges = np.concatenate([[0], changes, [count]])
        lengths = np.diff(edges)
        return Runs(np.repeat(edges[:-1], lengths), np.repeat(edges[1:], lengths))

    def shifted(self, values: Floats, by: int) -> Floats:
        """The value of the row ``by`` rows later (before, where negative) of the same token; NaN where none is."""
        index = np.arange(len(values)) + by
        inside = (index >= self.start) & (index < self.end)
        return np.asarray(np.where(inside, values[np.clip(index, 0, max(len(values) - 1, 0))], np.nan))


def sets_price(sol_lamports: Ints, token_raw: Ints, tokens: Ints) -> Mask:
    """Whether each trade is large enough to say a price, shape (n,); rows in runs of equal ``tokens``."""
    precise = (sol_lamports >= MIN_PRECISE) & (token_raw >= MIN_PRECISE)
    if not len(tokens):
        return precise
    middle = _medians(sol_lamports, tokens)
    return precise & (sol_lamports >= np.minimum(MIN_PRICE_LAMPORTS, middle))


def _medians(values: Ints, tokens: Ints) -> Floats:
    """The lower median of each row's token, shape (n,)."""
    by_value = np.lexsort((values, tokens))
    runs = Runs.of(tokens)  # tokens are in runs already, so the sorted rows have the same ones
    return np.asarray(values[by_value][(runs.start + runs.end - 1) // 2], dtype=np.float64)


def is_impossible(log_price: Floats, own_impact: Floats, sol_lamports: Ints, runs: Runs) -> Mask:
    """Whether a price jumps away and back further than a trade of that size can move a pool, shape (n,).

    Args:
        log_price: shape (n,), of trades that are large enough to say one.
        own_impact: how far each trade can move the log price itself.
        sol_lamports: size of the trades; at the ends of a token, only a trade that is not larger than its neighbours
            is doubted.
        runs: of the tokens.
    """
    before = np.stack([runs.shifted(log_price, -by) for by in range(1, NEIGHBOURS + 1)], axis=1)
    after = np.stack([runs.shifted(log_price, by) for by in range(1, NEIGHBOURS + 1)], axis=1)
    from_before = log_price - _median_nearest(before, log_price)
    from_after = log_price - _median_nearest(after, log_price)
    limit = JUMP + own_impact
    has_both = ~np.isnan(from_before) & ~np.isnan(from_after)
    same_way = from_before * from_after > 0
    away_and_back = has_both & same_way & (np.abs(from_before) > limit) & (np.abs(from_after) > limit)
    one_side = np.where(np.isnan(from_before), from_after, from_before)
    size = sol_lamports.astype(np.float64)
    sizes = np.stack([runs.shifted(size, by) for by in range(-NEIGHBOURS, NEIGHBOURS + 1) if by], axis=1)
    is_small = size <= _median_nearest(sizes, size)
    at_the_end = ~has_both & is_small & (np.abs(one_side) > JUMP_AT_THE_ENDS + own_impact)
    return np.asarray(away_and_back | at_the_end)


def _median_nearest(values: Floats, to: Floats) -> Floats:
    """Of each row the median without NaN, shape (n,); of the two in the middle the one nearer to ``to``."""
    ordered = np.sort(values, axis=1)  # NaN come last
    counts = np.sum(~np.isnan(values), axis=1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum(counts - 1, 0) // 2]
    high = ordered[rows, np.minimum(counts // 2, values.shape[1] - 1)]
    return np.asarray(np.where(np.abs(low - to) <= np.abs(high - to), low, high))
