"""Candles of a token, from its trades in the event log."""

from typing import Final

import numpy as np

from memesnipe.market.events import NS_PER_S, PRICE, Events
from memesnipe.storage.rows import Json

MAX_CANDLES: Final = 600
_FEW_CANDLES: Final = 40
_INTERVALS_S: Final = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400)


def candles(events: Events, token: int, interval_s: int | None = None) -> tuple[int, list[Json]]:
    """Return the interval and the candles of a token; intervals without a trade have none.

    Args:
        events: ascending by time, of any tokens.
        token: its index.
        interval_s: of one candle; None chooses the shortest with which there are at most `MAX_CANDLES`, and no more
            than trades.
    """
    prices = events[(events["token"] == token) & (events["kind"] == PRICE)]
    if not len(prices):
        return interval_s or _INTERVALS_S[0], []
    span_s = int(prices["ts"][-1] - prices["ts"][0]) / NS_PER_S
    most = min(MAX_CANDLES, max(len(prices), _FEW_CANDLES))
    fitting = (s for s in _INTERVALS_S if span_s / s <= most)
    length_s = interval_s or next(fitting, _INTERVALS_S[-1])
    number = prices["ts"] // (length_s * NS_PER_S)
    starts = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
    ends = np.append(starts[1:], len(prices)) - 1
    usd = prices["price_usd"]
    high, low = np.maximum.reduceat(usd, starts), np.minimum.reduceat(usd, starts)
    volume = np.add.reduceat(prices["volume_usd"], starts)
    columns = {
        "ts": number[starts] * length_s * NS_PER_S,
        **{"open_usd": usd[starts], "high_usd": high, "low_usd": low, "close_usd": usd[ends], "volume_usd": volume},
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return length_s, [dict(zip(columns, row, strict=True)) for row in rows][-MAX_CANDLES:]
