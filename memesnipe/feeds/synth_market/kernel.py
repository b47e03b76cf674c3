"""The kernel: one token's whole life, event by event; compiled once for all tokens."""

from typing import Any

import numpy as np

from memesnipe.compiled import compiled, jitable
from memesnipe.feeds.synth_market import behaviour as b
from memesnipe.feeds.synth_market import edges, graduation, insiders, reports, traders
from memesnipe.feeds.synth_market.agenda import pop, schedule
from memesnipe.feeds.synth_market.draws import between, exponential, lognormal, poisson, stream_key, uniform
from memesnipe.feeds.synth_market.life import COMPLETE, LIFE_S, ON_CURVE
from memesnipe.market.events import NS_PER_S, PUMP_CURVE
from memesnipe.market.pools import Pool, set_pool
from memesnipe.market.pump import (
    CURVE_START_SOL_LAMPORTS,
    CURVE_START_TOKEN_RAW,
    CURVE_UNSOLD_TOKEN_RAW,
    PUMP_FEES_BPS,
    PUMP_SUPPLY_RAW,
)

_LIFE_PURPOSE = 1  # of a token's random numbers


@compiled
def generate_lives(
    seed: int, first: int, launches: Any, from_index: int, written: int, life: Any, scratch: Any
) -> tuple[int, int]:
    """Generate the lives of tokens one after the other, until all are done or an array is too small.

    Args:
        seed: of the market.
        first: number of the token of ``launches[0]``.
        launches: times of the launches, shape (n,).
        from_index: index of the first token to generate.
        written: number of events in ``scratch.events`` already.
        life: shape (1,), dtype LIFE.
        scratch: working memory and output.

    Returns:
        The index of the next token, and the number of events; a life that did not fit is not part of them.
    """
    for index in range(from_index, len(launches)):
        begin(life[0], seed, first + index, launches[index], written)
        live(life[0], scratch)
        if life[0].is_full:
            return index, written
        written = life[0].written
    return len(launches), written


@jitable
def begin(life: Any, seed: int, token: int, launch_ts: int, written: int) -> None:
    """Set the state of a token at its launch, and draw its character."""
    life.key, life.counter = stream_key(seed, token, _LIFE_PURPOSE), np.uint64(0)
    life.token, life.launch_ts, life.now_s = token, launch_ts, 0.0
    life.slot, life.in_slot, life.written = 0, 0, written
    life.positions, life.actions, life.scheduled, life.is_full = 0, 0, 0, 0
    life.holders, life.buyers, life.waves, life.gifted = 0, 0, 0, 0.0
    life.state, life.extra_lamports, life.bundle_s, life.deposit_raw = ON_CURVE, 0, 0.0, 0
    life.collected_raw, life.collector = 0, 0
    life.top_price, life.bot_lamports, life.bot_ends_s = 0.0, 0, 0.0
    start = Pool(
        PUMP_CURVE, CURVE_START_SOL_LAMPORTS, CURVE_START_TOKEN_RAW, 0,
        CURVE_START_TOKEN_RAW - CURVE_UNSOLD_TOKEN_RAW, PUMP_SUPPLY_RAW, 0, PUMP_FEES_BPS[0], PUMP_FEES_BPS[1],
    )  # fmt: skip
    set_pool(life, start)
    is_hot = uniform(life) < b.HOT_CHANCE
    median, sigma = (b.HOT_INTEREST, b.HOT_SIGMA) if is_hot else (b.INTEREST_MEDIAN, b.INTEREST_SIGMA)
    life.interest = min(lognormal(life, median, sigma), b.INTEREST_MAX)
    life.since_s, life.fades_s = 0.0, lognormal(life, b.FADES_MEDIAN_S, b.FADES_SIGMA)
    life.virality = between(life, b.VIRALITY[0], b.VIRALITY[1])
    life.audience = 5.0 + b.AUDIENCE_PER_INTEREST * life.interest
    life.median_sol, life.sigma, life.wealth_sol = b.BUY_SOL, b.BUY_SIGMA, b.WEALTH_SOL


@jitable
def live(life: Any, scratch: Any) -> None:
    """Run a token's life from its launch to its end."""
    insiders.launch(life, scratch)
    traders.begin_wave(life, scratch, life.interest, life.fades_s, b.AHEAD_SHARE)
    schedule(life, scratch, between(life, 20.0, 60.0), b.REPORT_HOLDERS, 0)
    schedule(life, scratch, between(life, 10.0, 90.0), b.REPORT_MENTIONS, 0)
    for _ in range(poisson(life, 0.02 * life.interest)):
        schedule(life, scratch, exponential(life, 4.0 * life.fades_s), b.POST, 0)
    if uniform(life) < 0.01:
        schedule(life, scratch, exponential(life, 300.0), b.AIRDROP, 0)
    edges.begin(life, scratch)
    end_s = min((scratch.environment.end_ts - life.launch_ts) / NS_PER_S, LIFE_S)
    while life.actions > 0 and not life.is_full:
        at_s, kind, subject = pop(life, scratch)
        if at_s >= end_s:
            return
        life.now_s = at_s
        was_open = life.state != COMPLETE
        act(life, scratch, kind, subject)
        if was_open and life.state == COMPLETE:
            graduation.complete(life, scratch)


@jitable
def act(life: Any, scratch: Any, kind: int, subject: int) -> None:
    """Execute one action."""
    if kind == b.LOOK:
        traders.look(life, scratch, subject)
    elif kind == b.ARRIVAL:
        traders.arrive(life, scratch, subject)
    elif kind == b.FOLLOWER:
        traders.person_buys(life, scratch)
    elif kind == b.BOT_BUY:
        insiders.bot_buys(life, scratch)
    elif kind == b.BOT_SELL:
        insiders.bot_sells(life, scratch, subject)
    elif kind == b.BUY_AHEAD:
        traders.buys_ahead(life, scratch, subject)
    elif kind == b.SNIPE:
        insiders.snipe(life, scratch)
    elif kind == b.REPORT_HOLDERS:
        reports.report_holders(life, scratch, subject)
    elif kind == b.REPORT_MENTIONS:
        reports.report_mentions(life, scratch, subject)
    else:
        _act_rarely(life, scratch, kind, subject)


@jitable
def _act_rarely(life: Any, scratch: Any, kind: int, subject: int) -> None:
    if kind == b.INSIDER_SALE:
        insiders.insider_sells(life, scratch, subject)
    elif kind == b.DEV_TRANSFER_PLAN:
        insiders.dev_transfers(life, scratch, subject)
    elif kind == b.MIGRATE:
        graduation.migrate(life, scratch)
    elif kind == b.BUNDLE_BUY:
        insiders.bundle_buys(life, scratch, subject)
    elif kind == b.REVIVE:
        graduation.revive(life, scratch)
    elif kind == b.DEPOSIT:
        graduation.deposit(life, scratch)
    elif kind == b.WITHDRAW:
        graduation.withdraw(life, scratch, subject)
    elif kind == b.POST:
        reports.post(life, scratch)
    elif kind == b.REPORT_POST:
        reports.report_post(life, scratch, subject)
    elif kind == b.AIRDROP:
        reports.airdrop(life)
    else:
        _act_of_edge(life, scratch, kind, subject)


@jitable
def _act_of_edge(life: Any, scratch: Any, kind: int, subject: int) -> None:
    if kind == b.EDGE_CAUSE:
        edges.cause(life, scratch)
    elif kind == b.EDGE_BUY:
        edges.buys(life, scratch, subject)
    elif kind == b.EDGE_COLLECT:
        edges.collects(life, scratch, subject)
    elif kind == b.EDGE_DUMP:
        edges.dumps(life, scratch)
