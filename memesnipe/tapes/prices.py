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
NEIGHBOURS: Final = 9  # trades on either side that a price is compared with: few odd ones among them do not matter,
NEAREST: Final = 3  # and with the nearest of them, so that the top of a real rise is not taken for a jump
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


def is_impossible(log_price: Floats, own_impact: Floats, sol_lamports: Ints, tokens: Ints) -> Mask:
    """Whether a price jumps away and back further than a trade of that size can move a pool, shape (n,).

    Args:
        log_price: shape (n,), of trades that are large enough to say one.
        own_impact: how far each trade can move the log price itself.
        sol_lamports: size of the trades; at the ends of a token, only a trade that is not larger than its neighbours
            is doubted.
        tokens: in runs.
    """
    impossible = np.zeros(len(log_price), dtype=bool)
    rows = np.flatnonzero(_range_nearby(log_price, tokens) > JUMP)  # of all others the neighbours agree
    if not len(rows):
        return impossible
    places = rows[:, np.newaxis] + np.concatenate([np.arange(-NEIGHBOURS, 0), np.arange(1, NEIGHBOURS + 1)])
    runs = Runs.of(tokens)
    inside = (places >= runs.start[rows, np.newaxis]) & (places < runs.end[rows, np.newaxis])
    places = np.clip(places, 0, len(log_price) - 1)
    nearby = np.where(inside, log_price[places], np.nan)
    own, size = log_price[rows], sol_lamports[rows].astype(np.float64)
    from_before = _away(own, nearby[:, :NEIGHBOURS], nearby[:, NEIGHBOURS - NEAREST : NEIGHBOURS])
    from_after = _away(own, nearby[:, NEIGHBOURS:], nearby[:, NEIGHBOURS : NEIGHBOURS + NEAREST])
    limit = JUMP + own_impact[rows]
    has_both = ~np.isnan(from_before) & ~np.isnan(from_after)
    same_way = from_before * from_after > 0
    away_and_back = has_both & same_way & (np.abs(from_before) > limit) & (np.abs(from_after) > limit)
    one_side = np.where(np.isnan(from_before), from_after, from_before)
    sizes = np.where(inside, sol_lamports[places].astype(np.float64), np.nan)
    is_small = size <= _median_nearest(sizes, size)
    at_the_end = ~has_both & is_small & (np.abs(one_side) > JUMP_AT_THE_ENDS + own_impact[rows])
    impossible[rows] = away_and_back | at_the_end
    return impossible


def _away(own: Floats, all_of_them: Floats, nearest: Floats) -> Floats:
    """How far prices are from the median of their neighbours, of all or of the nearest, whichever is less."""
    from_all, from_nearest = (own - _median_nearest(values, own) for values in (all_of_them, nearest))
    return np.asarray(np.where(np.abs(from_nearest) < np.abs(from_all), from_nearest, from_all))


def _range_nearby(values: Floats, tokens: Ints) -> Floats:
    """How far the values of a row and the nearest ones of the same token lie apart, shape (n,)."""
    most, least = values.copy(), values.copy()
    for by in range(1, min(NEAREST, len(values) - 1) + 1):
        same = tokens[by:] == tokens[:-by]
        later = np.where(same, values[by:], values[:-by])
        earlier = np.where(same, values[:-by], values[by:])
        np.maximum(most[:-by], later, out=most[:-by])
        np.minimum(least[:-by], later, out=least[:-by])
        np.maximum(most[by:], earlier, out=most[by:])
        np.minimum(least[by:], earlier, out=least[by:])
    return np.asarray(most - least)


def _median_nearest(values: Floats, to: Floats) -> Floats:
    """Of each row the median without NaN, shape (n,); of the two in the middle the one nearer to ``to``."""
    ordered = np.sort(values, axis=1)  # NaN come last
    counts = np.sum(~np.isnan(values), axis=1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum(counts - 1, 0) // 2]
    high = ordered[rows, np.minimum(counts // 2, values.shape[1] - 1)]
    return np.asarray(np.where(np.abs(low - to) <= np.abs(high - to), low, high))
