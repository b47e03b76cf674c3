"""A market with a rhythm, a strategy that follows it, and one that buys when it is over."""

from pathlib import Path

import numpy as np

from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, NS_PER_S, PRICE, PUMPSWAP, SELL_SIDE, empty, join, take
from memesnipe.tapes.tape import Tape

START_TS = 1_767_225_600 * NS_PER_S
SOL_USD = 200.0
SOL_LAMPORTS, TOKEN_RAW = 2_000 * LAMPORTS_PER_SOL, 2_000_000_000 * 10**6
TOKENS, SECONDS, STEP_S = 2, 2_200, 1.0
PERIOD_S = 50  # a sudden rise, a pause in which orders arrive, a long rise, a pause, and the way back
PRICES = ((0.0, 1.0), (1.9, 1.0), (2.0, 1.1), (8.0, 1.1), (20.0, 3.0), (30.0, 3.0), (42.0, 1.0), (50.0, 1.0))
NOISE = 0.002

FOLLOWING = '''\
"""Buy after a sudden rise, and sell some seconds later.

Hypothesis: planted in this market: a sudden rise is followed by a long one.
"""

from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, param, state


class Following(Strategy):
    subscriptions = (PRICE,)
    jump = param(0.05, 0.09, default=0.06, unit="ratio")
    hold_s = param(20, 25, default=22, unit="s")
    price = state()
    bought_ts = state("i8")

    def on_event(p, s, e):
        is_jump = s.bought_ts == 0 and s.price > 0.0 and e.price_usd > s.price * (1.0 + p.jump)
        s.price = e.price_usd
        if is_jump:
            s.bought_ts = e.ts
            return BUY
        if s.bought_ts > 0 and e.ts - s.bought_ts > p.hold_s * 1_000_000_000:
            s.bought_ts = 0
            return SELL
        return HOLD
'''
LATE = '''\
"""Buy what has stopped rising, and sell some seconds later.

Hypothesis: none that holds: it buys at the top of this market.
"""

from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, param, state


class Late(Strategy):
    subscriptions = (PRICE,)
    after_s = param(20, 23, default=21, unit="s")
    hold_s = param(15, 25, default=20, unit="s")
    price = state()
    jump_ts = state("i8")
    bought_ts = state("i8")

    def on_event(p, s, e):
        if s.jump_ts == 0 and s.price > 0.0 and e.price_usd > s.price * 1.05:
            s.jump_ts = e.ts
        s.price = e.price_usd
        if s.jump_ts > 0 and e.ts - s.jump_ts > p.after_s * 1_000_000_000:
            s.jump_ts = 0
            s.bought_ts = e.ts
            return BUY
        if s.bought_ts > 0 and e.ts - s.bought_ts > p.hold_s * 1_000_000_000:
            s.bought_ts = 0
            return SELL
        return HOLD
'''


def write_strategies(folder: Path) -> None:
    """Write the two strategies into a new folder."""
    folder.mkdir()
    (folder / "following.py").write_text(FOLLOWING)
    (folder / "late.py").write_text(LATE)


def rhythm_tape(seed: int = 0) -> Tape:
    """Return the market: one trade of each token a second, with a rhythm of its own phase."""
    rng = np.random.default_rng(seed)
    times_s, prices = np.array(PRICES).T
    parts, count = [], int(SECONDS / STEP_S)
    for token in range(TOKENS):
        times = np.arange(count) * STEP_S + (token + 1) / (TOKENS + 1)
        phase = (times + token * PERIOD_S / TOKENS) % PERIOD_S
        price = np.interp(phase, times_s, prices) * np.exp(rng.normal(0.0, NOISE, count))
        root = np.concatenate([[1.0], np.sqrt(price)])  # the reserve of SOL moves with the root of the price
        sol, raw = np.round(SOL_LAMPORTS * root).astype(np.int64), np.round(TOKEN_RAW / root).astype(np.int64)
        events = empty(count)
        events["ts"], events["kind"], events["venue"] = START_TS + (times * NS_PER_S).astype(np.int64), PRICE, PUMPSWAP
        events["side"] = np.where(np.diff(sol) >= 0, BUY_SIDE, SELL_SIDE)
        events["sol_lamports"], events["token_raw"] = np.abs(np.diff(sol)), np.abs(np.diff(raw))
        for prefix in ("pool", "real"):
            events[f"{prefix}_sol_lamports"], events[f"{prefix}_token_raw"] = sol[1:], raw[1:]
        usd = SOL_USD / LAMPORTS_PER_SOL
        events["price_usd"] = sol[1:] * usd / (raw[1:] / 10**6)
        events["volume_usd"], events["liquidity_usd"] = np.abs(np.diff(sol)) * usd, sol[1:] * usd
        events["lp_fee_bps"], events["protocol_fee_bps"], events["creator_fee_bps"] = 2, 93, 30
        events["trader"], events["token"], events["sol_usd"] = rng.integers(1, 2**32 - 1, count), token, SOL_USD
        events["slot"] = (times / 0.4).astype(np.int64)
        parts.append(events)
    events = join(*parts)
    events = take(events, np.argsort(events["ts"], kind="stable"))
    events["seq"] = np.arange(1, len(events) + 1)
    return Tape(events, [f"rhythm{token}" for token in range(TOKENS)])
