"""A summary of a run's market, kept up to date from its event log: each token, and each hour."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.market.events import CURVE_COMPLETE, MIGRATION, NS_PER_S, ONCHAIN, PRICE, Events
from memesnipe.storage.mapped_log import BATCH, mapped_events

# A call advances over at most so many events, so that it ends within a second; the next call continues.
MAX_EVENTS: Final = 2_000_000
HOUR_NS: Final = 3_600 * NS_PER_S

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
            events = mapped_events(path, self.seq + 1, min(self.seq + BATCH, stop))
            if not len(events):
                return
            self._count(events)
            self.seq += len(events)
            self.last_ts = int(events["ts"].max())

    def _count(self, events: Events) -> None:
        self._grow(int(events["token"].max()) + 1)
        tokens, kept = self.tokens, np.flatnonzero(events["token"] >= 0)
        # Columns, not records: copies of 128 bytes an event would take most of the time.
        index, seq, ts, kind = (events[name][kept] for name in ("token", "seq", "ts", "kind"))
        unseen = np.flatnonzero(tokens["first_seq"][index] == 0)
        fresh, first = np.unique(index[unseen], return_index=True)
        where = unseen[first]
        tokens["first_seq"][fresh], tokens["first_ts"][fresh] = seq[where], ts[where]
        tokens["last_seq"][index], tokens["last_ts"][index] = seq, ts
        self._count_hours("launches", ts[where])
        self._count_prices(events, kept[kind == PRICE])
        graduating = np.flatnonzero((kind == ONCHAIN) & np.isin(events["action"][kept], (CURVE_COMPLETE, MIGRATION)))
        done, first = np.unique(index[graduating], return_index=True)
        is_new = ~tokens["is_graduated"][done]
        self._count_hours("graduations", ts[graduating[first[is_new]]])
        tokens["is_graduated"][done] = True

    def _count_prices(self, events: Events, prices: NDArray[np.int64]) -> None:
        names = ("token", "ts", "price_usd", "volume_usd", "liquidity_usd")
        index, ts, price_usd, volume_usd, liquidity_usd = (events[name][prices] for name in names)
        np.add.at(self.tokens["trades"], index, 1)
        np.add.at(self.tokens["volume_usd"], index, volume_usd)
        self.tokens["price_usd"][index], self.tokens["liquidity_usd"][index] = price_usd, liquidity_usd
        self._count_hours("trades", ts)
        self._count_hours("volume_usd", ts, volume_usd)

    def _count_hours(self, name: str, ts: NDArray[np.int64], amounts: NDArray[np.float64] | None = None) -> None:
        if not len(ts):
            return
        hours = ts // HOUR_NS
        first = int(hours.min())
        counts = np.bincount(hours - first)
        sums = counts if amounts is None else np.bincount(hours - first, amounts)
        for i in np.flatnonzero(counts).tolist():
            row = self.hours.setdefault(first + i, {"launches": 0, "graduations": 0, "trades": 0, "volume_usd": 0.0})
            row[name] += float(sums[i])

    def _grow(self, size: int) -> None:
        if size > len(self.tokens):
            grown = np.zeros(max(size, 2 * len(self.tokens)), _TOKEN)
            grown[: len(self.tokens)] = self.tokens
            self.tokens = grown
