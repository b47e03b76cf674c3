"""Rugs of a run, and what became of our money in these tokens: from the recorded events and trades."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from memesnipe.market.events import DEPTH, NS_PER_S, PRICE, Events

MIN_SHARE: Final = 0.5  # of a token's liquidity that is gone
WITHIN_S: Final = 60.0
MIN_LIQUIDITY_USD: Final = 1_000.0  # before; there is little to take out of a smaller pool
SOON_S: Final = 600.0  # a sale so long before a rug counts as an escape


@dataclass(frozen=True, slots=True)
class Rug:
    """A token's loss of most of its liquidity within a minute: it was pulled, or insiders sold everything."""

    token: int
    ts: int
    share: float  # of the liquidity


@dataclass(frozen=True, slots=True)
class Fate:
    """A round trip that was open at a rug, or had ended soon before it."""

    rug: Rug
    trip: dict[str, Any]  # as `memesnipe.storage.round_trips` returns it
    seconds: float  # of event time from the rug to the exit; negative: it ended before


def find_rugs(batches: Iterable[Events]) -> list[Rug]:
    """Return the rugs among events, in their order; of each token the first one."""
    found: dict[int, Rug] = {}
    greatest: dict[int, deque[tuple[int, float]]] = {}  # of each token: falling liquidity within the window
    for events in batches:
        known = events[np.isin(events["kind"], (PRICE, DEPTH))]
        columns = (known[name].tolist() for name in ("token", "ts", "liquidity_usd"))
        for token, ts, liquidity_usd in zip(*columns, strict=True):
            window = greatest.setdefault(token, deque())
            while window and window[0][0] < ts - WITHIN_S * NS_PER_S:
                window.popleft()
            if window and token not in found:
                before = window[0][1]
                if before >= MIN_LIQUIDITY_USD and liquidity_usd <= before * (1.0 - MIN_SHARE):
                    found[token] = Rug(token, ts, 1.0 - liquidity_usd / before)
            while window and window[-1][1] <= liquidity_usd:
                window.pop()
            window.append((ts, liquidity_usd))
    return list(found.values())


def fates(rugs: Sequence[Rug], trips: Iterable[dict[str, Any]]) -> list[Fate]:
    """Return the round trips in rugged tokens that were open at the rug, and those that had ended soon before it.

    Args:
        rugs: one a token at most.
        trips: closed round trips.

    Returns:
        Those that were open come first, and of both kinds those that ended nearest to the rug.
    """
    by_token = {rug.token: rug for rug in rugs}
    found = []
    for trip in trips:
        rug = by_token.get(trip["token"])
        if rug is not None and trip["opened_ts"] <= rug.ts:
            seconds = (trip["closed_ts"] - rug.ts) / NS_PER_S
            if seconds >= -SOON_S:
                found.append(Fate(rug, trip, seconds))
    return sorted(found, key=lambda fate: (fate.seconds < 0.0, abs(fate.seconds)))
