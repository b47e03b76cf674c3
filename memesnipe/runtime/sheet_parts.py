"""What the tear sheets of runs and of backtests are both made from: rows of orders, and events of tokens."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from memesnipe.engine.orders import ENTRIES
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S, SIDE_NAMES, Events
from memesnipe.storage.candles import candles
from memesnipe.storage.round_trips import pair
from memesnipe.tearsheet.sheet import Outcome, Prices, Trip

SHOWN_TOKENS: Final = 4  # the most traded ones
_MARGIN_S: Final = 600  # at least, before the first fill and after the last one
_ENTRY_SIDES: Final = {SIDE_NAMES[side] for side in ENTRIES}

Row = Mapping[str, Any]


def trips_of(rows: Iterable[Row], families_of: Callable[[str], tuple[str, ...]]) -> list[Trip]:
    """Return the closed round trips in the order in which they ended.

    Args:
        rows: outcomes of orders, ordered by time, with the columns of the table `trades`.
        families_of: the families of a strategy.
    """
    by_strategy: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_strategy.setdefault(row["spec_id"], []).append(dict(row))
    found = [
        Trip(
            mint=trip.mint,
            families=families_of(spec_id),
            opened_ts=trip.opened_ts,
            closed_ts=trip.closed_ts,
            exit_reason=trip.exit_reason,
            paid_sol=trip.paid_sol,
            profit_sol=trip.profit_sol,
        )
        for spec_id, own in by_strategy.items()
        for trip in pair(own)
    ]
    return sorted(found, key=lambda trip: trip.closed_ts)


def outcomes_of(rows: Iterable[Row]) -> list[Outcome]:
    """Return the outcomes of orders in SOL, in the order of the rows."""
    return [
        Outcome(
            row["mint"], row["side"], row["reason"], row["failure"], row["ts"], row["sol_lamports"] / LAMPORTS_PER_SOL,
            row["pool_fee_lamports"] / LAMPORTS_PER_SOL, row["network_fee_lamports"] / LAMPORTS_PER_SOL,
        )
        for row in rows
    ]  # fmt: skip


def most_traded(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """Return the mints with most fills, and their token indices."""
    counts = Counter((row["mint"], row["token"]) for row in rows if not row["failure"])
    return [key for key, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_TOKENS]]


def prices_of(events: Events, token: tuple[str, int], rows: Iterable[Row]) -> list[Prices]:
    """Return the prices of a token around its fills, at the ends of candles; none where the events have none there.

    Args:
        events: ascending by time.
        token: its mint and its index.
        rows: outcomes of orders, of any token.
    """
    mint, index = token
    times = [row["ts"] for row in rows if row["token"] == index and not row["failure"]]
    margin = max((max(times) - min(times)) // 4, _MARGIN_S * NS_PER_S)
    first, last = np.searchsorted(events["ts"], (min(times) - margin, max(times) + margin))
    length_s, found = candles(events[first:last], index)
    if not found:
        return []
    ends = np.array([candle["ts"] for candle in found], np.int64) + length_s * NS_PER_S
    return [Prices(mint, ends, np.array([candle["close_usd"] for candle in found]))]


def still_open(rows: Sequence[Row]) -> list[int]:
    """Return when the positions were opened that no exit has closed, of the rows of one strategy."""
    opened: dict[str, int] = {}
    for row in rows:
        if row["failure"]:
            continue
        if row["side"] in _ENTRY_SIDES:
            opened.setdefault(row["mint"], row["ts"])
        else:
            opened.pop(row["mint"], None)
    return list(opened.values())
