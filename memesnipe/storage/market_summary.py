"""A summary of a run's market, kept up to date from its event log: each token, and each hour."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.market.events import CURVE_COMPLETE, MIGRATION, NS_PER_S, ONCHAIN, PRICE, Events
from memesnipe.storage.mapped_log import mapped_events

# A call advances over at most so many events, so that it ends within a second; the next call continues.
MAX_EVENTS: Final = 2_000_000
HOUR_NS: Final = 3_600 * NS_PER_S
_BATCH: Final = 250_000

_TOKEN: Final = np.dtype(
    [
        ("first_ts", "i8"),
        ("last_ts", "i8"),
        ("first_seq", "i8"),
        ("last_seq", "i8"),
        ("trades", "i8"),
        ("volume_usd", "f8"),
        ("price_usd", "f8"),
        ("liquidity_usd", "f8"),
        ("is_graduated", "?"),
    ]
)


class MarketSummary:
    """The tokens of one run, by index: a row of `_TOKEN` each; `trades` is 0 for an index that has not appeared.

    Memory grows with the number of tokens, 65 bytes each.
    """

    def __init__(self) -> None:
        self.seq = 0  # the last event that is counted
        self.last_ts = 0
        self.tokens: NDArray[Any] = np.zeros(0, _TOKEN)
        self.hours: dict[int, dict[str, float]] = {}

    def advance(self, path: Path, last: int) -> None:
        """Count the events of a log up to number ``last``, or `MAX_EVENTS` of them."""
        stop = min(last, self.seq + MAX_EVENTS)
        while self.seq < stop:
            events = mapped_events(path, self.seq + 1, min(self.seq + _BATCH, stop))
            if not len(events):
                return
            self._count(events)
            self.seq += len(events)
            self.last_ts = int(events["ts"].max())

    def _count(self, events: Events) -> None:
        self._grow(int(events["token"].max()) + 1)
        tokens, graduated_before = self.tokens, self.tokens["is_graduated"].copy()
        new_before = tokens["first_seq"] == 0
        of_tokens = events[events["token"] >= 0]
        index = of_tokens["token"]
        first = np.unique(index, return_index=True)
        fresh = first[0][new_before[first[0]]]
        where = first[1][new_before[first[0]]]
        tokens["first_seq"][fresh] = of_tokens["seq"][where]
        tokens["first_ts"][fresh] = of_tokens["ts"][where]
        tokens["last_seq"][index] = of_tokens["seq"]
        tokens["last_ts"][index] = of_tokens["ts"]
        self._count_prices(of_tokens[of_tokens["kind"] == PRICE])
        done = (of_tokens["kind"] == ONCHAIN) & np.isin(of_tokens["action"], (CURVE_COMPLETE, MIGRATION))
        graduating = of_tokens[done]
        tokens["is_graduated"][graduating["token"]] = True
        self._count_hours("launches", of_tokens["ts"][where])
        _, at = np.unique(graduating["token"], return_index=True)
        at = at[~graduated_before[graduating["token"][at]]]
        self._count_hours("graduations", graduating["ts"][at])

    def _count_prices(self, prices: Events) -> None:
        index = prices["token"]
        np.add.at(self.tokens["trades"], index, 1)
        np.add.at(self.tokens["volume_usd"], index, prices["volume_usd"])
        self.tokens["price_usd"][index] = prices["price_usd"]
        self.tokens["liquidity_usd"][index] = prices["liquidity_usd"]
        self._count_hours("trades", prices["ts"])
        self._count_hours("volume_usd", prices["ts"], prices["volume_usd"])

    def _count_hours(self, name: str, ts: NDArray[np.int64], amounts: NDArray[np.float64] | None = None) -> None:
        hours, where = np.unique(ts // HOUR_NS, return_inverse=True)
        sums = np.bincount(where, amounts, minlength=len(hours))
        for hour, value in zip(hours.tolist(), sums.tolist(), strict=True):
            row = self.hours.setdefault(hour, {"launches": 0, "graduations": 0, "trades": 0, "volume_usd": 0.0})
            row[name] += value

    def _grow(self, size: int) -> None:
        if size > len(self.tokens):
            grown = np.zeros(max(size, 2 * len(self.tokens)), _TOKEN)
            grown[: len(self.tokens)] = self.tokens
            self.tokens = grown
