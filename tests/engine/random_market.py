"""Random markets for the engine: every kind of event, every venue, tokens that die, graduate, drain and return.

They are unrealistic on purpose, to cover all cases of the market model.
"""

from typing import Any

import numpy as np

from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.market.events import (
    AMM,
    BRIDGE,
    DEPTH,
    FUNDING,
    NO_TOKEN,
    NS_PER_S,
    ONCHAIN,
    PRICE,
    PUMP_CURVE,
    PUMPSWAP,
    SOCIAL,
    SOL_PRICE,
    Events,
    empty,
)
from memesnipe.sdk import BUY, HOLD, SELL, SHORT, Strategy, blend, decay, param, state
from memesnipe.sdk.registry import Families

START_TS = 1_700_000_000 * NS_PER_S


class Mood(Strategy):
    """Follows a fading mean of sizes, with a float and an integer of state."""

    family = "mood"
    subscriptions = (PRICE, SOCIAL)
    lookback_s = param(1, 600, default=30, log=True, unit="s")
    bound = param(0.1, 4.0, default=1.0, log=True, unit="x")
    mean = state()
    last_ts = state("i8")

    def on_event(p, s, e):
        if e.kind == SOCIAL:
            return BUY if e.sentiment > 0.3 else SELL
        kept = decay(e.ts - s.last_ts, p.lookback_s)
        s.last_ts = e.ts
        big = e.volume_usd > p.bound * s.mean
        s.mean = blend(s.mean, e.volume_usd, kept)
        if big:
            return BUY
        return SELL if e.side < 0 else HOLD


class Basis(Strategy):
    """Shorts on positive funding, buys on negative."""

    family = "basis"
    subscriptions = (FUNDING,)
    bound = param(0.0001, 0.01, default=0.001, log=True, unit="1/h")

    def on_event(p, s, e):
        if e.rate > p.bound:
            return SHORT
        return BUY if e.rate < 0.0 else HOLD


class Tide(Strategy):
    """Buys during bridge inflow: receives events without a token, decides at trades."""

    family = "tide"
    subscriptions = (BRIDGE, SOL_PRICE, PRICE)
    min_inflow = param(1.0, 1000.0, default=10.0, log=True, unit="USD")
    inflow = state()
    bridge_events = state("i8")

    def on_event(p, s, e):
        if e.kind == BRIDGE:
            s.inflow = blend(s.inflow, e.inflow_usd, 0.5)
            s.bridge_events += 1
            return HOLD
        if e.kind == SOL_PRICE:
            s.inflow *= 0.9
            return SELL if s.bridge_events > 3 else HOLD
        return BUY if s.inflow > p.min_inflow else SELL


FAMILIES: Families = {"basis": Basis(), "mood": Mood(), "tide": Tide()}


def random_events(rng: np.random.Generator, count: int, tokens: int, gap_s: float) -> Events:
    """Return random events of ``tokens`` tokens, in order of time, numbered from 1."""
    events = empty(count)
    gaps = rng.choice([0, 1, 1, 1, 40], size=count) * rng.exponential(gap_s, count)
    events["ts"] = START_TS + np.cumsum((gaps * NS_PER_S).astype(np.int64))
    if rng.random() < 0.3:  # whole seconds, so that work is due at the times of events
        events["ts"] = events["ts"] // NS_PER_S * NS_PER_S
    events["seq"] = np.arange(1, count + 1)
    sol_usd = 200.0 * np.exp(np.cumsum(rng.normal(0, 0.002, count)))
    pools: dict[int, dict[str, int]] = {}
    for i in range(count):
        event = events[i]
        event["sol_usd"] = 0.0 if rng.random() < 0.05 else sol_usd[i]
        kind = rng.choice(
            [PRICE, SOCIAL, DEPTH, FUNDING, ONCHAIN, BRIDGE, SOL_PRICE], p=[0.6, 0.1, 0.05, 0.12, 0.03, 0.06, 0.04]
        )
        token = NO_TOKEN if kind in (BRIDGE, SOL_PRICE) and rng.random() < 0.8 else int(rng.integers(tokens))
        event["kind"], event["token"] = kind, token
        if kind == PRICE:
            event["sol_usd"] = sol_usd[i]
            _price(rng, event, pools, token)
        elif kind == SOCIAL:
            event["sentiment"], event["mentions"] = rng.uniform(-1, 1), rng.exponential(10)
        elif kind == DEPTH:
            event["change_usd"], event["liquidity_usd"] = rng.normal(0, 100), rng.exponential(500)
        elif kind == FUNDING:
            mark = 0.0 if rng.random() < 0.05 else float(np.exp(rng.normal(0, 0.6)))
            event["rate"], event["mark_usd"] = rng.normal(0, 0.01), mark
        elif kind == ONCHAIN:
            event["action"], event["holders"] = rng.integers(1, 5), rng.integers(1000)
        elif kind == BRIDGE:
            event["inflow_usd"] = rng.exponential(50)
    return events


def _price(rng: np.random.Generator, event: Any, pools: dict[int, dict[str, int]], token: int) -> None:
    pool = pools.get(token)
    if pool is None or rng.random() < 0.03:
        pool = pools[token] = _new_pool(rng)
    factor = float(np.exp(rng.normal(0, 0.05 if rng.random() < 0.9 else 1.0)))
    sol = max(int(pool["sol"] * factor), 1_000)
    raw = max(pool["sol"] * pool["raw"] // sol, 1_000)
    moved = sol - pool["sol"]
    pool["sol"], pool["raw"] = sol, raw
    event["venue"], event["side"] = pool["venue"], 1 if moved >= 0 else -1
    event["sol_lamports"], event["token_raw"] = abs(moved), raw // 100
    event["pool_sol_lamports"], event["pool_token_raw"] = sol, raw
    event["real_sol_lamports"] = max(sol - pool["virtual_sol"], 0)
    event["real_token_raw"] = 0 if rng.random() < 0.03 else max(raw - pool["virtual_raw"], 0)
    event["supply_raw"] = pool["supply"]
    event["lp_fee_bps"], event["protocol_fee_bps"], event["creator_fee_bps"] = (
        pool["lp"],
        pool["protocol"],
        pool["creator"],
    )
    event["price_usd"] = sol / raw * float(event["sol_usd"]) / 1000
    event["volume_usd"] = abs(moved) / 1e9 * float(event["sol_usd"])
    event["liquidity_usd"] = float(event["real_sol_lamports"]) / 1e9 * float(event["sol_usd"])


def _new_pool(rng: np.random.Generator) -> dict[str, int]:
    venue = int(rng.choice([PUMP_CURVE, PUMPSWAP, AMM]))
    sol = int(10 ** rng.uniform(8.5, 12.5))
    raw = int(10 ** rng.uniform(10, 15.3))
    has_supply = venue == PUMPSWAP and rng.random() < 0.7
    fees = {PUMP_CURVE: (0, 95, 30), PUMPSWAP: (20, 5, int(rng.choice([0, 30]))), AMM: (25, 0, 0)}[venue]
    return {
        "venue": venue, "sol": sol, "raw": raw,
        "virtual_sol": sol // 3 if rng.random() < 0.7 else 0, "virtual_raw": raw // 4 if venue == PUMP_CURVE else 0,
        "supply": 10**15 if has_supply else 0, "lp": fees[0], "protocol": fees[1], "creator": fees[2],
    }  # fmt: skip


def random_genomes(rng: np.random.Generator, count: int) -> list[Genome]:
    """Return genomes that trade often and hold for long."""
    return [_genome(rng) for _ in range(count)]


def _genome(rng: np.random.Generator) -> Genome:
    names = sorted(rng.choice(sorted(FAMILIES), size=int(rng.integers(1, 4)), replace=False).tolist())
    signals = tuple(
        SignalGene(
            name,
            {key: p.at(rng.random()) for key, p in FAMILIES[name].params.items()},
            float(rng.choice([0.3, 0.5, 1.0])),
        )
        for name in names
    )
    exits = ExitGenes(
        stop_loss=float(rng.uniform(0.02, 0.9)),
        take_profit=float(rng.uniform(0.02, 3.0)),
        trailing_stop=float(rng.uniform(0.02, 0.9)),
        max_hold_s=float(rng.choice([0.5, 5.0, 60.0, 300.0, 1000.0])),
    )
    filters = FilterGenes(float(rng.choice([0.0, 50.0])), float(rng.choice([0.0, 3.0])))
    return Genome(signals, float(rng.choice([0.2, 0.5, 1.0])), float(rng.choice([0.02, 0.1, 0.5, 1.0])), exits, filters)


def random_model(rng: np.random.Generator) -> FillModel:
    """Return a random fill model, including extreme parameters."""
    return FillModel(
        seed=int(rng.integers(1000)),
        latency_ns=int(rng.choice([0, 1, 5])) * NS_PER_S // 2,
        landing_max=float(rng.choice([0.5, 1.0])),
        landing_half_lamports=int(rng.choice([0, 6_000])),
        slippage_bps=int(rng.choice([0, 300, 10_000])),
        priority_fee_lamports=int(rng.choice([0, 100_000])),
        dead_after_ns=int(rng.choice([30, 200, 2000])) * NS_PER_S,
    )
