"""Rugs are found in the events, and what became of our round trips in these tokens."""

from typing import Any

import numpy as np
import pytest

from memesnipe.cli.demo_rugs import Rug, fates, find_rugs
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import DEPTH, EVENT, NS_PER_S, PRICE, SOCIAL, Events
from memesnipe.market.sequencer import Sequencer


def events_of(*rows: tuple[int, int, float, float]) -> Events:
    """Return events: kind, token, seconds, liquidity in USD."""
    events = np.zeros(len(rows), EVENT)
    for event, (kind, token, seconds, liquidity_usd) in zip(events, rows, strict=True):
        event["kind"], event["token"], event["ts"] = kind, token, int(seconds * NS_PER_S)
        if kind != SOCIAL:  # the fields of the kinds overlap
            event["liquidity_usd"] = liquidity_usd
    return events


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([(PRICE, 1, 0, 9_000), (DEPTH, 1, 30, 3_000)], [(1, 30, 2 / 3)]),
        ([(PRICE, 1, 0, 9_000), (PRICE, 1, 50, 6_000), (PRICE, 1, 60, 4_500)], [(1, 60, 0.5)]),
        ([(PRICE, 1, 0, 9_000), (PRICE, 1, 61, 4_500)], []),  # slowly
        ([(PRICE, 1, 0, 900), (PRICE, 1, 1, 1)], []),  # a small pool
        ([(PRICE, 1, 0, 9_000), (PRICE, 2, 1, 100)], []),  # another token
        ([(PRICE, 1, 0, 9_000), (PRICE, 1, 1, 10_000), (PRICE, 1, 61, 4_500)], [(1, 61, 0.55)]),
        ([(PRICE, 1, 0, 9_000), (DEPTH, 1, 1, 100), (PRICE, 1, 2, 9_000), (DEPTH, 1, 3, 100)], [(1, 1, 0.98889)]),
        ([(PRICE, 1, 0, 9_000), (SOCIAL, 1, 1, 0)], []),
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_a_rug_is_a_loss_of_half_of_the_liquidity_within_a_minute(
    rows: list[tuple[int, int, float, float]], found: list[tuple[int, float, float]], size: int
) -> None:
    events = events_of(*rows)
    rugs = find_rugs(events[start : start + size] for start in range(0, len(events), size))
    assert [(rug.token, rug.ts / NS_PER_S, pytest.approx(rug.share, abs=1e-4)) for rug in rugs] == found


def test_the_synthetic_market_has_rugs() -> None:
    messages = SyntheticFeed(24).messages(0)
    raw = [next(messages) for _ in range(20_000)]
    events, _ = Sequencer(60, 600).stamp(raw)
    assert len(find_rugs([events])) > 5


def trip(token: int, opened_s: float, closed_s: float) -> dict[str, Any]:
    return {"token": token, "opened_ts": int(opened_s * NS_PER_S), "closed_ts": int(closed_s * NS_PER_S)}


def test_the_round_trips_that_were_open_at_a_rug_come_first() -> None:
    rugs = [Rug(1, 1_000 * NS_PER_S, 0.9)]
    trips = [trip(1, 100, 990), trip(1, 100, 1_020), trip(1, 100, 1_005), trip(1, 100, 399), trip(1, 1_001, 1_002),
             trip(2, 100, 1_005)]  # fmt: skip
    assert [fate.seconds for fate in fates(rugs, trips)] == [5.0, 20.0, -10.0]
