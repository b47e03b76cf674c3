"""Prices implied by trades without reserves: the trades that imply one, and impossible prices.

All functions work per token, in chain order, on logarithms of lamports per raw token.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Smaller amounts are too coarse for a price exact to a thousandth, or consist of rent and tips.
MIN_PRICE_LAMPORTS: Final = 10_000_000  # 0.01 SOL; less if half of a token's trades are smaller
MIN_PRECISE: Final = 1_000  # smallest units, of either amount
NEIGHBOURS: Final = 9  # trades on either side compared with a price, enough to be robust against a few outliers
NEAREST: Final = 3  # trades on either side also compared, so that the top of a real rise is not a jump
JUMP: Final = float(np.log(2.0))  # smallest jump from the trades before and after, beyond the trade's own impact
JUMP_AT_THE_ENDS: Final = float(np.log(10.0))  # smallest jump with trades on one side only


@dataclass(frozen=True, slots=True)
class Runs:
    """For rows sorted by token: the first and the end index of each row's token."""

    start: Ints  # shape (n,)
    end: Ints  # shape (n,), exclusive

    @staticmethod
    def of(tokens: Ints) -> "Runs":
        """Return the runs of equal numbers in ``tokens``, shape (n,)."""
        count = len(tokens)
        changes = np.flatnonzero(np.diff(tokens)) + 1
        edges = np.concatenate([[0], changes, [count]])
        lengths = np.diff(edges)
        return Runs(np.repeat(edges[:-1], lengths), np.repeat(edges[1:], lengths))

    def shifted(self, values: Floats, by: int) -> Floats:
        """Return the value ``by`` rows later (negative: earlier) of the same token; NaN if there is none."""
        index = np.arange(len(values)) + by
        inside = (index >= self.start) & (index < self.end)
        return np.asarray(np.where(inside, values[np.clip(index, 0, max(len(values) - 1, 0))], np.nan))


def sets_price(sol_lamports: Ints, token_raw: Ints, tokens: Ints) -> Mask:
    """Return whether each trade is large enough to imply a price, shape (n,); rows in runs of equal ``tokens``."""
    precise = (sol_lamports >= MIN_PRECISE) & (token_raw >= MIN_PRECISE)
    if not len(tokens):
        return precise
    middle = _medians(sol_lamports, tokens)
    return precise & (sol_lamports >= np.minimum(MIN_PRICE_LAMPORTS, middle))


def _medians(values: Ints, tokens: Ints) -> Floats:
    """Return the lower median of each row's token, shape (n,)."""
    by_value = np.lexsort((values, tokens))
    runs = Runs.of(tokens)  # tokens are in runs already, so the sorted rows have the same runs
    return np.asarray(values[by_value][(runs.start + runs.end - 1) // 2], dtype=np.float64)


def is_impossible(log_price: Floats, own_impact: Floats, sol_lamports: Ints, tokens: Ints) -> Mask:
    """Return whether each price jumps away and back further than its trade can move a pool, shape (n,).

    Args:
        log_price: log prices of trades large enough to imply one, shape (n,).
        own_impact: the largest move of the log price by each trade itself.
        sol_lamports: sizes of the trades; at the ends of a token only trades not larger than their neighbours can be
            impossible.
        tokens: token of each row, in runs.
    """
    impossible = np.zeros(len(log_price), dtype=bool)
    rows = np.flatnonzero(_range_nearby(log_price, tokens) > JUMP)  # the neighbours of all other rows agree
    if not len(rows):
        return impossible
    indices = rows[:, np.newaxis] + np.concatenate([np.arange(-NEIGHBOURS, 0), np.arange(1, NEIGHBOURS + 1)])
    runs = Runs.of(tokens)
    inside = (indices >= runs.start[rows, np.newaxis]) & (indices < runs.end[rows, np.newaxis])
    indices = np.clip(indices, 0, len(log_price) - 1)
    nearby = np.where(inside, log_price[indices], np.nan)
    own, size = log_price[rows], sol_lamports[rows].astype(np.float64)
    from_before = _distance(own, nearby[:, :NEIGHBOURS], nearby[:, NEIGHBOURS - NEAREST : NEIGHBOURS])
    from_after = _distance(own, nearby[:, NEIGHBOURS:], nearby[:, NEIGHBOURS : NEIGHBOURS + NEAREST])
    limit = JUMP + own_impact[rows]
    has_both = ~np.isnan(from_before) & ~np.isnan(from_after)
    same_way = from_before * from_after > 0
    away_and_back = has_both & same_way & (np.abs(from_before) > limit) & (np.abs(from_after) > limit)
    one_side = np.where(np.isnan(from_before), from_after, from_before)
    sizes = np.where(inside, sol_lamports[indices].astype(np.float64), np.nan)
    is_small = size <= _median_nearest(sizes, size)
    at_the_end = ~has_both & is_small & (np.abs(one_side) > JUMP_AT_THE_ENDS + own_impact[rows])
    impossible[rows] = away_and_back | at_the_end
    return impossible


def _distance(own: Floats, neighbours: Floats, nearest: Floats) -> Floats:
    """Return the smaller distance of prices from the medians of all neighbours and of the nearest ones."""
    from_all, from_nearest = (own - _median_nearest(values, own) for values in (neighbours, nearest))
    return np.asarray(np.where(np.abs(from_nearest) < np.abs(from_all), from_nearest, from_all))


def _range_nearby(values: Floats, tokens: Ints) -> Floats:
    """Return the range of each row's value and its nearest ones of the same token, shape (n,)."""
    highest, lowest = values.copy(), values.copy()
    for by in range(1, min(NEAREST, len(values) - 1) + 1):
        same = tokens[by:] == tokens[:-by]
        later = np.where(same, values[by:], values[:-by])
        earlier = np.where(same, values[:-by], values[by:])
        np.maximum(highest[:-by], later, out=highest[:-by])
        np.minimum(lowest[:-by], later, out=lowest[:-by])
        np.maximum(highest[by:], earlier, out=highest[by:])
        np.minimum(lowest[by:], earlier, out=lowest[by:])
    return np.asarray(highest - lowest)


def _median_nearest(values: Floats, to: Floats) -> Floats:
    """Return each row's median without NaN, shape (n,); of two middle values the one nearer to ``to``."""
    ordered = np.sort(values, axis=1)  # NaN come last
    counts = np.sum(~np.isnan(values), axis=1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum(counts - 1, 0) // 2]
    high = ordered[rows, np.minimum(counts // 2, values.shape[1] - 1)]
    return np.asarray(np.where(np.abs(low - to) <= np.abs(high - to), low, high))
