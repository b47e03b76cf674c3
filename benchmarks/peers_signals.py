"""The formula of strategies/momentum_5m.py over one token's trades, compiled; both peers use it."""

import math

import numpy as np
from numba import njit
from peers_tape import Array

NS_PER_S = 1e9


@njit(nogil=True)
def momentum_nb(ts: Array, price: Array, volume: Array, lookback_s: float, breakout: float, vol_mult: float) -> Array:
    """1 where the strategy buys, -1 where it sells, 0 where it holds; it stops at the first price that is NaN."""
    signals = np.zeros(len(price), np.int8)
    mean_price, mean_volume, last_ts = price[0], volume[0], ts[0]
    for i in range(1, len(price)):
        if np.isnan(price[i]):
            break
        move = price[i] / mean_price - 1.0
        busy = volume[i] > vol_mult * mean_volume
        elapsed = ts[i] - last_ts
        kept = math.exp(-elapsed / (lookback_s * NS_PER_S)) if elapsed > 0 else 1.0
        mean_price = kept * mean_price + (1.0 - kept) * price[i]
        mean_volume = kept * mean_volume + (1.0 - kept) * volume[i]
        last_ts = ts[i]
        if move > breakout and busy:
            signals[i] = 1
        elif move < 0.0:
            signals[i] = -1
    return signals
