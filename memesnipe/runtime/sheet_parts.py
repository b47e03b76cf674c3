"""What the tear sheets of runs and of backtests are both made from: rows of orders, and events of tokens."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from memesnipe.engine.orders import ENTRIES
from memesnipe.market.events import LAMPORTS_PER_SOL, SIDE_NAMES, Events
from memesnipe.storage.candles import candles
from memesnipe.storage.round_trips import pair
from memesnipe.tearsheet.sheet import Outcome, Prices, Trip

SHOWN_TOKENS: Final = 4  # the most traded ones
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


def prices_of(events: Events, tokens: Iterable[tuple[str, int]]) -> list[Prices]:
    """Return the prices of tokens, given as mints and indices, at the ends of candles; without those that have none."""
    found = []
    for mint, token in tokens:
        length_s, rows = candles(events, token)
        if rows:
            ends = np.array([row["ts"] for row in rows], np.int64) + length_s * 1_000_000_000
            found.append(Prices(mint, ends, np.array([row["close_usd"] for row in rows])))
    return found


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
