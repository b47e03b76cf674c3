"""Assumed pools of swaps without reserves: the venue's own depth, at a robust price of the token's last trades.

`docs/market-model.md` describes the assumptions. A pool of constant product S * T = K follows from K and one trade: a
trade of s lamports at the mean price p leaves S with S * (S - s) = K * p after a buy, S * (S + s) = K * p after a sale.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from memesnipe.market.events import AMM, NS_PER_S, PUMP_CURVE
from memesnipe.market.pools import MIGRATION_FEE_LAMPORTS
from memesnipe.market.pump import CURVE_START_SOL_LAMPORTS, CURVE_START_TOKEN_RAW, CURVE_UNSOLD_TOKEN_RAW
from memesnipe.tapes.columns import Reasons
from memesnipe.tapes.layouts import PUMP_DECIMALS
from memesnipe.tapes.prices import Runs, is_impossible, sets_price

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

NO_PRICE: Final = "too small to imply a price, and no larger trade of the token precedes it"
OUTLIER: Final = "outlier: a price that no trade of this size can cause"
LAST_TRADES: Final = 5  # the price is the median of so many trades
DEAD_AFTER_NS: Final = 1_800 * NS_PER_S  # older trades are no evidence of the price
_CURVE_K: Final = float(CURVE_START_SOL_LAMPORTS) * float(CURVE_START_TOKEN_RAW)
# The start of a PumpSwap pool: the complete curve's 85 SOL and the 206.9 million tokens never for sale.
_COMPLETE_SOL: Final = _CURVE_K / CURVE_UNSOLD_TOKEN_RAW
_SWAP_SOL: Final = _COMPLETE_SOL - CURVE_START_SOL_LAMPORTS - MIGRATION_FEE_LAMPORTS
_SWAP_K: Final = _SWAP_SOL * 206_900_000 * 10**PUMP_DECIMALS
_EXPLAINS: Final = 0.5  # trades explain the price if the unexplained moves are below this share of all moves
_NEAR_CURVE: Final = 0.985  # tolerance of the first reserve, because amounts may be after fees


@dataclass(frozen=True, slots=True)
class Assumed:
    """Counts of assumed pools, of pools that follow their trades exactly, of outliers and of trades too small."""

    pools: int
    chained: int
    outliers: int
    too_small: int


def assume_pools(swaps: pd.DataFrame, reasons: Reasons) -> Assumed:
    """Set the pool after every swap: the four reserve columns, in place.

    Args:
        swaps: usable rows in chain order.
        reasons: reasons of these rows; updated with outliers and with trades without a price.
    """
    tokens = _pool_of(swaps)
    by_token = np.argsort(tokens, kind="stable")
    rows = _Rows.of(swaps.iloc[by_token], tokens[by_token])
    sets = rows.sets_price
    outlier = np.zeros(len(sets), dtype=bool)
    of_price = np.flatnonzero(sets)
    outlier[of_price] = is_impossible(
        rows.log_price[of_price], rows.impact[of_price], rows.sol[of_price], rows.tokens[of_price]
    )
    reserve, chained = _reserves(rows, np.where(outlier, 0.0, rows.flow), sets & ~outlier)
    unknown = np.isnan(reserve)
    known = np.where(unknown | outlier, 1.0, reserve)
    out = np.empty(len(sets), dtype=np.int64)
    out[by_token] = np.arange(len(sets))
    _set_reserves(swaps, rows.tokens[out], known[out], rows.k[out])
    reasons.reject(outlier[out], OUTLIER)
    reasons.reject(unknown[out], NO_PRICE)
    small = int(np.count_nonzero(~rows.sets_price & ~unknown))
    return Assumed(len(np.unique(tokens)), chained, int(np.count_nonzero(outlier)), small)


def _pool_of(swaps: pd.DataFrame) -> Ints:
    """Return a pool number per row: a token has one pool per venue."""
    return np.asarray(swaps["mint"].to_numpy() * 4 + swaps["venue"].to_numpy(), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Swaps sorted by pool, then in chain order; arrays of shape (n,)."""

    tokens: Ints
    ts: Ints
    sol: Ints
    flow: Floats  # lamports into the pool; negative: out of it
    log_price: Floats
    sets_price: Mask
    k: Floats  # lamports times raw tokens
    impact: Floats  # how far the trade can move the log price

    @staticmethod
    def of(swaps: pd.DataFrame, tokens: Ints) -> "_Rows":
        sol, raw = swaps["sol_lamports"].to_numpy(), swaps["token_raw"].to_numpy()
        sets = sets_price(sol, raw, tokens)
        price = np.maximum(sol, 1) / np.maximum(raw, 1)
        scale = 10.0 ** (swaps["decimals"].to_numpy() - PUMP_DECIMALS)
        venue = swaps["venue"].to_numpy()
        k = np.where(venue == PUMP_CURVE, _CURVE_K, _SWAP_K) * scale
        first = _first_price(price, sets, Runs.of(tokens))
        k = np.where(venue == AMM, _SWAP_SOL**2 / first, k)  # the SOL of a new PumpSwap pool, at the first price
        impact = 2.0 * np.log1p(sol / np.sqrt(k * price))
        flow = swaps["side"].to_numpy() * sol.astype(np.float64)
        return _Rows(tokens, swaps["ts"].to_numpy(), sol, flow, np.log(price), sets, k, impact)


def _first_price(price: Floats, sets: Mask, runs: Runs) -> Floats:
    """Return the first price of each row's pool, shape (n,): of its first price-setting trade, else its first trade."""
    index = np.where(sets, np.arange(len(price)), len(price))
    first = np.minimum.reduceat(index, np.unique(runs.start)) if len(price) else index
    per_row = np.repeat(first, np.diff(np.append(np.unique(runs.start), len(price))))
    return price[np.where(per_row < len(price), per_row, runs.start)]


def _reserves(rows: _Rows, flows: Floats, sets: Mask) -> tuple[Floats, int]:
    """Return the SOL in the pool after each trade, shape (n,), NaN if unknown; and the number of chained pools."""
    index = np.flatnonzero(sets)
    if not len(index):
        return np.full(len(sets), np.nan), 0
    runs = Runs.of(rows.tokens[index])
    flow = flows[index]
    mean = np.sqrt(rows.k[index] * np.exp(rows.log_price[index]))  # the mean reserve during the trade
    half = np.sqrt(flow**2 / 4 + mean**2)
    after, before = half + flow / 2, half - flow / 2
    chains = _chains(mean, before, after, runs)
    traded = np.cumsum(flows)
    total = traded[index]
    estimates = []
    for by in range(LAST_TRADES):
        carried = np.where(chains, after - total, mean)  # carried forward by the trades since
        estimate = runs.shifted(carried, -by) + np.where(chains, total, 0.0)
        age = rows.ts[index] - runs.shifted(rows.ts[index].astype(np.float64), -by)
        estimates.append(np.where((age <= DEAD_AFTER_NS) & (estimate > 0), estimate, np.nan))
    estimated = _median(np.stack(estimates, axis=1))
    # Trades that set no price move the pool only by their own flow.
    last = np.cumsum(sets) - 1
    chosen = np.maximum(last, 0)
    has_price = (last >= 0) & (rows.tokens[index][chosen] == rows.tokens)
    moved = estimated[chosen] + np.where(chains[chosen], traded - total[chosen], 0.0)
    reserve = np.where(moved > 0, moved, estimated[chosen])
    return np.where(has_price, reserve, np.nan), len(np.unique(rows.tokens[index][chains]))


def _chains(mean: Floats, before: Floats, after: Floats, runs: Runs) -> Mask:
    """Return whether each row's pool chains: its trades begin about where the previous ones ended."""
    moved = np.abs(np.log(mean) - runs.shifted(np.log(mean), -1))
    unexplained = np.abs(np.log(before) - runs.shifted(np.log(after), -1))
    by_moved, by_unexplained = (_sorted_in_runs(values, runs) for values in (moved, unexplained))
    middle = runs.start + np.maximum(runs.end - runs.start - 2, 0) // 2  # the first of each run has no predecessor: NaN
    is_alone = runs.end - runs.start == 1
    return np.asarray(is_alone | (by_unexplained[middle] < _EXPLAINS * by_moved[middle]))


def _sorted_in_runs(values: Floats, runs: Runs) -> Floats:
    """Return the values sorted within each run, NaN last."""
    return np.asarray(values[np.lexsort((values, runs.start))])


def _median(values: Floats) -> Floats:
    """Return each row's median without NaN, shape (n,); of two middle values the one nearer to the oldest."""
    counts = np.sum(~np.isnan(values), axis=1)
    rows = np.arange(len(values))
    ordered = np.sort(values, axis=1)
    last = values.shape[1] - 1
    low, high = ordered[rows, np.maximum(counts - 1, 0) // 2], ordered[rows, np.minimum(counts // 2, last)]
    ages = np.where(np.isnan(values), -1, np.arange(values.shape[1]))
    oldest = values[rows, np.maximum(ages.max(axis=1), 0)]
    return np.asarray(np.where(np.abs(low - oldest) <= np.abs(high - oldest), low, high))


def _set_reserves(swaps: pd.DataFrame, tokens: Ints, reserve: Floats, k: Floats) -> None:
    """Set all reserves from the SOL in the pool; on the curve the virtual part cannot be withdrawn."""
    token_raw = k / reserve
    is_curve = swaps["venue"].to_numpy() == PUMP_CURVE
    outside = (reserve < _NEAR_CURVE * CURVE_START_SOL_LAMPORTS) | (reserve >= _COMPLETE_SOL)
    leaves = np.unique(tokens[is_curve & outside])
    on_curve = is_curve & ~np.isin(tokens, leaves)
    maximum = float(2**62)
    scale = k / _CURVE_K
    swaps["pool_sol_lamports"] = np.rint(np.minimum(reserve, maximum)).astype(np.int64)
    swaps["pool_token_raw"] = np.rint(np.minimum(token_raw, maximum)).astype(np.int64)
    virtual_sol = np.where(on_curve, np.minimum(CURVE_START_SOL_LAMPORTS, reserve), 0.0)
    virtual_raw = np.where(on_curve, CURVE_UNSOLD_TOKEN_RAW * scale, 0.0)
    swaps["real_sol_lamports"] = swaps["pool_sol_lamports"] - np.rint(virtual_sol).astype(np.int64)
    swaps["real_token_raw"] = swaps["pool_token_raw"] - np.rint(virtual_raw).astype(np.int64)
