"""Buyers and owners: who comes, who follows, and when an owner sells."""

from typing import Any

import numpy as np

from memesnipe.compiled import jitable
from memesnipe.feeds.synth_market import behaviour as b
from memesnipe.feeds.synth_market.agenda import schedule
from memesnipe.feeds.synth_market.arbitrage import buy_ahead, expected_sol
from memesnipe.feeds.synth_market.draws import between, exponential, lognormal, poisson, uniform
from memesnipe.feeds.synth_market.execution import buy, price_of, sell
from memesnipe.feeds.synth_market.life import FAST, INSIDER, PERSON, STEP_S, VOLUME_BOT
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S

_PEOPLE = 60_000  # wallets of people and of scalpers, from which each buy draws one
_SCALPERS = 3_000
_SNIPERS = 2_000
_PEOPLE_FROM, _SCALPERS_FROM, _SNIPERS_FROM, INSIDERS_FROM = 1 << 20, 1 << 21, 1 << 22, 1 << 24


@jitable
def draw_wallet(life: Any, style: int) -> int:
    """Return the wallet of a new buyer."""
    share = uniform(life)
    # Some wallets trade much more than others.
    return _SCALPERS_FROM + int(share * share * _SCALPERS) if style == FAST else _PEOPLE_FROM + int(share * _PEOPLE)


@jitable
def sniper_wallet(life: Any) -> int:
    """Return the wallet of a sniper; a few of them are at most launches."""
    share = uniform(life)
    return _SNIPERS_FROM + int(share * share * _SNIPERS)


@jitable
def mood(life: Any, scratch: Any) -> float:
    """Return the market's mood now: the factor on the number of buyers."""
    moods = scratch.environment.mood
    ns = life.launch_ts - scratch.environment.start_ts + int(life.now_s * 1e9)
    return moods[min(max(ns // int(STEP_S * NS_PER_S), 0), len(moods) - 1)]


@jitable
def own(life: Any, scratch: Any, token_raw: int, wallet: int, style: int) -> int:
    """Note a buy as a position of its owner; return its index, -1 if there is no room."""
    at = life.positions
    if at >= len(scratch.positions):
        life.is_full = 1
        return -1
    life.positions += 1
    life.holders += 1
    position = scratch.positions[at]
    position.raw, position.wallet, position.style = token_raw, wallet, style
    position.price = price_of(life)
    if style in (FAST, PERSON):
        position.wait_s = lognormal(life, b.LOOK_S[style], b.LOOK_SIGMA)
        position.target = lognormal(life, b.TARGET[style], b.TARGET_SIGMA)
        position.stop = min(lognormal(life, b.STOP[style], 0.5), 0.95)
        schedule(life, scratch, position.wait_s, b.LOOK, at)
    return at


@jitable
def buy_and_own(life: Any, scratch: Any, sol: float, wallet: int, style: int) -> int:
    """Buy for an amount of SOL; return the position, or -1 if nothing was bought."""
    token_raw = buy(life, scratch, int(sol * LAMPORTS_PER_SOL), wallet)
    if token_raw <= 0:
        return -1
    if style != VOLUME_BOT:
        attract(life, scratch, sol)
    return own(life, scratch, token_raw, wallet, style)


@jitable
def attract(life: Any, scratch: Any, sol: float) -> None:
    """Let a visible buy be copied; fewer follow as the audience is used up."""
    if sol < b.FOLLOW_FROM_SOL:
        return
    left = max(1.0 - life.buyers / life.audience, 0.0)
    for _ in range(poisson(life, life.virality * left)):
        schedule(life, scratch, exponential(life, b.FOLLOW_S), b.FOLLOWER, 0)


@jitable
def person_buys(life: Any, scratch: Any) -> None:
    """Execute a buy of a new buyer."""
    style = FAST if uniform(life) < b.FAST_SHARE else PERSON
    wealth = lognormal(life, life.wealth_sol, b.WEALTH_SIGMA)
    sol = min(lognormal(life, life.median_sol, life.sigma), wealth * between(life, 0.7, 1.0))
    life.buyers += 1
    buy_and_own(life, scratch, sol, draw_wallet(life, style), style)


@jitable
def schedule_arrival(life: Any, scratch: Any) -> None:
    """Schedule the next buyer who comes alone, by inverting the integral of the falling rate."""
    age = max(life.now_s - life.since_s, 0.0)
    left = (1.0 + age / life.fades_s) ** -b.FADE_POWER
    left -= exponential(life, 1.0) / (life.interest * mood(life, scratch))
    if left > 0.0:
        at = (left ** (-1.0 / b.FADE_POWER) - 1.0) * life.fades_s
        schedule(life, scratch, at - age, b.ARRIVAL, life.waves)


@jitable
def buys_ahead(life: Any, scratch: Any, lamports: int) -> None:
    """Execute the buy of a bot that expects others to buy."""
    wallet = sniper_wallet(life)
    token_raw = buy(life, scratch, lamports, wallet)
    if token_raw > 0:
        own(life, scratch, token_raw, wallet, FAST)


@jitable
def begin_wave(life: Any, scratch: Any, interest: float, fades_s: float, share: float) -> None:
    """Let new buyers hear of the token; those of the wave before, who have not come yet, stay away.

    Bots buy ahead for a share of what the buyers will soon spend.
    """
    life.waves += 1
    life.interest, life.since_s, life.fades_s = interest, life.now_s, fades_s
    life.audience = life.buyers + b.AUDIENCE_PER_INTEREST * interest
    buy_ahead(life, scratch, share * expected_sol(life, mood(life, scratch)))
    schedule_arrival(life, scratch)


@jitable
def arrive(life: Any, scratch: Any, wave: int) -> None:
    """Let a buyer come who heard of the token in a wave, and schedule the next."""
    if wave == life.waves:
        person_buys(life, scratch)
        schedule_arrival(life, scratch)


@jitable
def release(life: Any, scratch: Any, at: int, token_raw: int) -> bool:
    """Sell part of a position; return whether it was sold."""
    position = scratch.positions[at]
    sol_before, price_before = life.pool.sol_lamports, price_of(life)
    if token_raw <= 0 or not sell(life, scratch, token_raw, position.wallet):
        return False
    if price_of(life) < price_before * (1.0 - b.DIP_FROM):
        kept = price_of(life) / price_before
        if kept < 1.0 - b.CRASH_FROM:
            life.interest *= kept**b.CRASH_POWER
        sold = (sol_before - life.pool.sol_lamports) / LAMPORTS_PER_SOL
        buy_ahead(life, scratch, min(b.DIP_SHARE * sold, b.DIP_AHEAD * expected_sol(life, mood(life, scratch))))
    position.raw -= token_raw
    if position.raw <= 0:
        life.holders -= 1
    return True


@jitable
def look(life: Any, scratch: Any, at: int) -> None:
    """Let an owner look at the price and perhaps sell; else look again later."""
    position = scratch.positions[at]
    if position.raw <= 0:
        return
    style = int(position.style)
    gain = price_of(life) / position.price - 1.0
    if gain >= position.target and uniform(life) < b.HALF_CHANCE:
        release(life, scratch, at, position.raw // 2)
        position.target = 2.0 * gain + 0.1
    elif gain >= position.target or gain <= -position.stop or uniform(life) < b.BORED[style]:
        release(life, scratch, at, position.raw)
    if position.raw > 0:
        schedule(life, scratch, position.wait_s * between(life, 0.6, 1.4), b.LOOK, at)
        position.wait_s *= b.LOOK_GROWS[style]


@jitable
def is_insider(style: Any) -> bool:
    """Return whether a position belongs to the token's makers."""
    return style == np.uint32(INSIDER)
