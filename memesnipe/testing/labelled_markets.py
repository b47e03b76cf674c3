"""Labelled markets: pure noise or noise with one planted edge, to measure false discoveries of the statistics.

Prices are martingales except for the edge: the effect of the planted cause is compensated by a constant drift, so that
holding tokens has an expected return of 0. Every market has every cause; without its edge a cause is a decoy without
effect. Costs are those of a small PumpSwap pool, 1.25 % a side.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.market.events import (
    BUY_SIDE,
    LAMPORTS_PER_SOL,
    NS_PER_S,
    PRICE,
    PUMPSWAP,
    SELL_SIDE,
    SOCIAL,
    Events,
    empty,
    join,
    take,
)
from memesnipe.tapes.tape import Tape

START_TS: Final = 1_767_225_600 * NS_PER_S  # 2026-01-01 UTC
SOL_USD: Final = 200.0
POOL_LAMPORTS: Final = 250 * LAMPORTS_PER_SOL
POOL_RAW: Final = 250_000_000 * 10**6  # tokens of 6 decimals
LP_FEE_BPS, PROTOCOL_FEE_BPS, CREATOR_FEE_BPS = 2, 93, 30
SLOT_S: Final = 0.4

LIFETIME_S: Final = (3600.0, 10_800.0)
TRADE_EVERY_S: Final = 4.0
MOVE: Final = 0.004  # standard deviation of a trade's log return, averaged over calm and volatile periods
TALK_EVERY_S: Final = 60.0
DECOY_EVERY_S: Final = 2000.0  # per token and kind of decoy
FOLLOWS: Final = 0.7  # probability that a cause has its effect
_RAW_PER_TOKEN: Final = 10**6

Times = NDArray[np.float64]  # seconds


class Edge(StrEnum):
    """The planted edge."""

    NOISE = "noise"
    MOMENTUM = "momentum"
    MEAN_REVERSION = "mean_reversion"
    SOCIAL = "social"


@dataclass(frozen=True, slots=True)
class Cause:
    """An observable cause and its effect in its own market, as simple returns.

    A cause ends before an order can reach the chain; otherwise its own trades would be predictable.
    """

    moves: tuple[float, float]  # of the price, up or down with equal probability; (0, 0): social events only
    followed: float  # sign of the moves with an effect: 1 rises, -1 falls, 0 social events
    after_s: tuple[float, float]
    follow: tuple[float, float]
    takes_s: tuple[float, float]
    trades: int  # number of trades of the effect
    every_s: float  # mean interval per token in its own market

    @property
    def mean_follow(self) -> float:
        """The mean return after a cause, including those without effect."""
        return FOLLOWS * sum(self.follow) / 2 * (1.0 if self.followed == 0.0 else 0.5)


CAUSES: Final = {
    Edge.MOMENTUM: Cause((0.06, 0.10), 1.0, (3.0, 10.0), (0.13, 0.23), (120.0, 240.0), 30, 500.0),
    Edge.MEAN_REVERSION: Cause((0.15, 0.25), -1.0, (10.0, 40.0), (0.18, 0.28), (60.0, 150.0), 4, 250.0),
    Edge.SOCIAL: Cause((0.0, 0.0), 0.0, (20.0, 45.0), (0.08, 0.13), (0.5, 1.2), 5, 500.0),
}
_CAUSE_S: Final = 1.2
_CAUSE_TRADES: Final = 3
_REPORTS: Final = 4


def labelled_market(
    edge: Edge, seed: int, *, hours: float = 12.0, tokens: int = 16, edge_hours: float = math.inf
) -> Tape:
    """Return a tape with about 4 trades and a quarter of a social event per second.

    Args:
        edge: the planted edge.
        seed: seed of the market, which depends only on the arguments.
        hours: length in event time.
        tokens: number of tokens alive at once; each is replaced after one to three hours.
        edge_hours: causes after this time are without effect, and their compensation ends too.
    """
    rng = np.random.default_rng([seed, list(Edge).index(edge)])
    lifetimes = [lifetime for _ in range(tokens) for lifetime in _lifetimes(rng, hours * 3600.0)]
    lifetimes.sort()
    events = join(
        *(
            _token_events(rng, edge, token, start_s, stop_s, edge_s=edge_hours * 3600.0 - start_s)
            for token, (start_s, stop_s) in enumerate(lifetimes)
        )
    )
    events = take(events, np.argsort(events["ts"], kind="stable"))
    events["seq"] = np.arange(1, len(events) + 1)
    return Tape(events, [f"labelled_market{token:05d}" for token in range(len(lifetimes))])


def _lifetimes(rng: np.random.Generator, end_s: float) -> Iterator[tuple[float, float]]:
    """Yield the start and end of consecutive tokens; the first one has started before the market."""
    start_s, stop_s = 0.0, rng.uniform(0.2, 1.0) * rng.uniform(*LIFETIME_S)
    while start_s < end_s:
        yield start_s, min(stop_s, end_s)
        start_s, stop_s = stop_s, stop_s + rng.uniform(*LIFETIME_S)


def _token_events(
    rng: np.random.Generator, edge: Edge, token: int, start_s: float, stop_s: float, *, edge_s: float
) -> Events:
    """Return the events of one token, whose causes have their effect for its first ``edge_s`` seconds."""
    length_s = stop_s - start_s
    times, moves = _walk(rng, edge, length_s, edge_s)
    talk_times, mentions, sentiment = _chatter(rng, length_s)
    for kind, cause in CAUSES.items():
        for at_s in _arrivals(rng, length_s, cause.every_s if kind is edge else DECOY_EVERY_S):
            cause_times, moved, burst = _cause_and_effect(rng, cause, at_s, follows=kind is edge and at_s < edge_s)
            times, moves = np.concatenate([times, cause_times]), np.concatenate([moves, moved])
            talk_times = np.concatenate([talk_times, burst])
            mentions = np.concatenate([mentions, rng.uniform(50.0, 120.0, len(burst))])
            sentiment = np.concatenate([sentiment, rng.uniform(0.4, 0.8, len(burst))])
    trades = _trades(rng, times, moves)
    talk = empty(len(talk_times))
    talk["kind"], talk["mentions"], talk["sentiment"] = SOCIAL, np.round(mentions), sentiment
    talk["ts"] = (talk_times * NS_PER_S).astype(np.int64)
    events = join(trades, talk)
    events["ts"] += START_TS + int(start_s * NS_PER_S)
    events["slot"] = (events["ts"] - START_TS) / NS_PER_S / SLOT_S
    events["token"], events["sol_usd"] = token, SOL_USD
    return take(events, events["ts"] < START_TS + int(stop_s * NS_PER_S))


def _walk(rng: np.random.Generator, edge: Edge, length_s: float, edge_s: float) -> tuple[Times, NDArray[np.float64]]:
    """Return times and log returns of the background: random signs, slowly varying size."""
    times = _arrivals(rng, length_s, TRADE_EVERY_S)
    # Calm and volatile periods of some minutes, within a factor of two.
    phase = np.cumsum(rng.normal(0.0, 0.15, len(times)))
    size = MOVE * np.exp(0.5 * np.sin(phase))
    compensation = CAUSES[edge].mean_follow / CAUSES[edge].every_s if edge is not Edge.NOISE else 0.0
    drift = -compensation * np.diff(np.minimum(times, max(edge_s, 0.0)), prepend=0.0)
    return times, rng.normal(0.0, size) - size**2 / 2 + drift


def _chatter(rng: np.random.Generator, length_s: float) -> tuple[Times, NDArray[np.float64], NDArray[np.float64]]:
    """Return times, mentions and sentiment of the usual social events of a token."""
    times = _arrivals(rng, length_s, TALK_EVERY_S)
    return times, rng.lognormal(2.0, 0.5, len(times)), np.clip(rng.normal(0.1, 0.25, len(times)), -1.0, 1.0)


def _arrivals(rng: np.random.Generator, length_s: float, every_s: float) -> Times:
    return np.sort(rng.uniform(0.0, length_s, rng.poisson(length_s / every_s)))


def _cause_and_effect(
    rng: np.random.Generator, cause: Cause, at_s: float, *, follows: bool
) -> tuple[Times, NDArray[np.float64], Times]:
    """Return one cause and its effect: times and log returns of the trades, and times of the social events."""
    ends_s = at_s + _CAUSE_S
    sign = rng.choice([-1.0, 1.0]) if cause.followed else 0.0
    own = sign * rng.uniform(*cause.moves)
    talk = np.sort(rng.uniform(at_s, ends_s, _REPORTS)) if not cause.followed else np.zeros(0)
    parts = [_spread(rng, at_s, ends_s, own, _CAUSE_TRADES if cause.followed else 0)]
    if rng.random() < FOLLOWS and follows and sign == cause.followed:
        begins_s = ends_s + rng.uniform(*cause.after_s)
        stop_s = begins_s + rng.uniform(*cause.takes_s)
        parts.append(_spread(rng, begins_s, stop_s, rng.uniform(*cause.follow), cause.trades))
    times, moves = (np.concatenate(column) for column in zip(*parts, strict=True))
    return times, moves, talk


def _spread(
    rng: np.random.Generator, start_s: float, stop_s: float, total: float, trades: int
) -> tuple[Times, NDArray[np.float64]]:
    """Divide a simple return into trades of one direction and random sizes; return their times and log returns."""
    shares = rng.dirichlet(np.full(trades, 3.0)) if trades else np.zeros(0)
    return np.sort(rng.uniform(start_s, stop_s, trades)), shares * np.log1p(total)


def _trades(rng: np.random.Generator, times: Times, moves: NDArray[np.float64]) -> Events:
    """Return the trades along a price path, with exact reserves of a constant product."""
    order = np.argsort(times, kind="stable")
    path = np.cumsum(moves[order]) / 2  # the SOL reserve moves with the square root of the price
    sol = np.concatenate([[POOL_LAMPORTS], np.round(POOL_LAMPORTS * np.exp(path))]).astype(np.int64)
    token = np.concatenate([[POOL_RAW], np.round(POOL_RAW * np.exp(-path))]).astype(np.int64)
    events = empty(len(order))
    events["ts"] = (times[order] * NS_PER_S).astype(np.int64)
    events["kind"], events["venue"] = PRICE, PUMPSWAP
    events["side"] = np.where(np.diff(sol) >= 0, BUY_SIDE, SELL_SIDE)
    events["sol_lamports"], events["token_raw"] = np.abs(np.diff(sol)), np.abs(np.diff(token))
    for prefix in ("pool", "real"):
        events[f"{prefix}_sol_lamports"], events[f"{prefix}_token_raw"] = sol[1:], token[1:]
    usd: Any = SOL_USD / LAMPORTS_PER_SOL
    events["price_usd"] = sol[1:] * usd / (token[1:] / _RAW_PER_TOKEN)
    events["volume_usd"], events["liquidity_usd"] = np.abs(np.diff(sol)) * usd, sol[1:] * usd
    events["lp_fee_bps"], events["protocol_fee_bps"] = LP_FEE_BPS, PROTOCOL_FEE_BPS
    events["creator_fee_bps"] = CREATOR_FEE_BPS
    events["trader"] = rng.integers(1, 2**32 - 1, len(order))
    return events
