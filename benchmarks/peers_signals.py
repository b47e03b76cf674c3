"""The formula of strategies/momentum_5m.py over one token's trades, compiled; both peers use it.

It follows the strategy and memesnipe/sdk/maths.py line by line; peers.py fails if the signals differ.
"""

import numpy as np
from numba import njit
from peers_tape import Array

NS_PER_S = 1_000_000_000
FAST = 8.0


@njit(nogil=True)
def _decay(elapsed_ns: int, lookback_s: float) -> float:
    x = elapsed_ns / (lookback_s * NS_PER_S)
    if x <= 0.0:
        return 1.0
    if x >= 32.0:
        return 0.0
    r = x * 0.0625
    r2 = r * r
    even, odd = 1.0 + r2 * 0.1, r * (0.5 + r2 * (1.0 / 120.0))
    y = (even - odd) / (even + odd)
    for _ in range(4):
        y *= y
    return y


@njit(nogil=True)
def momentum_nb(
    ts: Array, price: Array, volume: Array, side: Array, lookback_s: float, breakout: float, vol_mult: float
) -> Array:
    """Return 1 for a buy, -1 for a sell and 0 for a hold, per trade; stop at the first price that is NaN."""
    signals = np.zeros(len(price), np.int8)
    mean_price, traded, net, seen = price[0], volume[0], 0.0, 0.0
    for i in range(1, len(price)):
        if np.isnan(price[i]):
            break
        kept = _decay(ts[i] - ts[i - 1], lookback_s)
        kept_2 = kept * kept
        kept_4 = kept_2 * kept_2
        breaking_out = price[i] > mean_price * (1.0 + breakout)
        mean_price = kept * mean_price + (1.0 - kept) * price[i]
        traded = kept * traded + volume[i]
        net = kept_4 * kept_4 * net + side[i] * volume[i]
        seen = kept * seen + (1.0 - kept)
        if breaking_out and FAST * net * seen > vol_mult * traded:
            signals[i] = 1
        elif price[i] < mean_price or FAST * net < -traded:
            signals[i] = -1
    return signals
