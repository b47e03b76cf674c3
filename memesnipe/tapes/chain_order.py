"""Chain order: restores the order of execution of rows that are newest first, unsorted or mixed inside a slot."""

from collections import Counter, defaultdict, deque
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Order = NDArray[np.int64]
ASCENDING, DESCENDING, SORTED = "as in the file", "newest first, reversed as a whole", "sorted by time"
_MOSTLY: Final = 0.9  # share of the steps in time


def file_order(swaps: pd.DataFrame) -> tuple[Order, str]:
    """Return the row positions in the order of the source, oldest first, and a description of the file's order.

    A file whose time decreases at nine of ten steps or more is reversed as a whole, so that rows of the same time are
    reversed too.
    """
    ts = swaps["ts"].to_numpy()
    steps = np.sign(np.diff(ts))
    down, up = int((steps < 0).sum()), int((steps > 0).sum())
    positions = np.arange(len(ts))
    if down and down >= _MOSTLY * (down + up):
        return positions[::-1].copy(), DESCENDING
    return positions, SORTED if down else ASCENDING


def chain_order(swaps: pd.DataFrame) -> Order:
    """Return the row positions of ``swaps`` in chain order.

    Rows are ordered by time, then by slot, then by ``seq`` if the source numbers them. Otherwise, if the reserves are
    known, a token's trades of one time and slot are chained: each trade follows the one that left the pool it began
    with. Where no trade continues the chain (one was not recorded), the order of the input decides.
    """
    ts, slot = swaps["ts"].to_numpy(), swaps["slot"].to_numpy()
    if "seq" in swaps:
        return np.lexsort((swaps["seq"].to_numpy(), slot, ts))
    order = np.lexsort((slot, ts))
    if "pool_sol_lamports" not in swaps or not len(order):
        return order
    mint = swaps["mint"].to_numpy()
    moment = _changes(ts[order], slot[order]).cumsum()
    # Inside a moment the trades of a token are adjacent, tokens in the order of their first trade in it.
    first = pd.Series(np.arange(len(order))).groupby([moment, mint[order]], sort=False).transform("first").to_numpy()
    order = order[np.lexsort((first, moment))]
    starts = np.flatnonzero(_changes(ts[order], slot[order], mint[order]))
    ends = np.append(starts[1:], len(order))
    after = swaps["pool_sol_lamports"].to_numpy()
    before = after - swaps["side"].to_numpy() * swaps["sol_lamports"].to_numpy()
    left = _previous_group(mint[order[starts]])
    last = order[ends - 1].copy()  # the last row of each group
    for group in np.flatnonzero(ends - starts > 1):
        rows = order[starts[group] : ends[group]]
        previous = left[group]
        pool = int(after[last[previous]]) if previous >= 0 else None
        chained = _chained(before[rows].tolist(), after[rows].tolist(), pool)
        order[starts[group] : ends[group]] = rows[chained]
        last[group] = rows[chained[-1]]
    return order


def _changes(*keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each row differs from the previous one in any key; true for the first."""
    changes = np.ones(len(keys[0]), dtype=bool)
    changes[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return changes


def _previous_group(mints: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each group the previous group of the same token, or -1."""
    by_mint = np.argsort(mints, kind="stable")
    previous = np.full(len(mints), -1)
    same = mints[by_mint[1:]] == mints[by_mint[:-1]]
    previous[by_mint[1:][same]] = by_mint[:-1][same]
    return previous


def _chained(before: list[int], after: list[int], pool: int | None) -> list[int]:
    """Order the trades of a token in one moment as a chain that begins at ``pool``, the SOL left by the last trade."""
    by_start: dict[int, deque[int]] = defaultdict(deque)
    for row, start in enumerate(before):
        by_start[start].append(row)
    left_by = Counter(after)
    is_open = [True] * len(before)
    ordered: list[int] = []
    oldest = 0
    while len(ordered) < len(before):
        continuing = by_start.get(pool) if pool is not None else None
        if not continuing:
            while not is_open[oldest]:
                oldest += 1
            # Begin with a head: a trade that does not continue any other.
            heads = (row for row in range(oldest, len(before)) if is_open[row] and not left_by[before[row]])
            continuing = by_start[before[next(heads, oldest)]]
        row = continuing.popleft()
        is_open[row] = False
        pool = after[row]
        left_by[pool] -= 1
        ordered.append(row)
    return ordered
