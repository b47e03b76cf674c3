"""Bots that act on what is predictable, within a slot: they buy ahead of expected buyers, and after a large sale.

Without them the market would pay anybody who buys a graduate at its opening or a dip, which competition prevents. They
resell like other scalpers, into the demand that they expected.
"""

import math
from typing import Any

from memesnipe.compiled import jitable
from memesnipe.feeds.synth_market import behaviour as b
from memesnipe.feeds.synth_market.agenda import schedule
from memesnipe.feeds.synth_market.draws import between, exponential, lognormal
from memesnipe.market.events import LAMPORTS_PER_SOL

_PARTS_MAX = 20


@jitable
def remaining(life: Any, age_s: float) -> float:
    """Return the share of a wave's buyers who come later than an age."""
    return (1.0 + max(age_s, 0.0) / life.fades_s) ** -b.FADE_POWER


@jitable
def expected_sol(life: Any, mood: float) -> float:
    """Return the SOL that the crowd is expected to spend soon, followers included."""
    age_s = life.now_s - life.since_s
    comers = life.interest * mood * (remaining(life, age_s) - remaining(life, age_s + b.AHEAD_S))
    mean_sol = life.median_sol * math.exp(0.5 * life.sigma * life.sigma) * b.MEAN_BELOW_WEALTH
    return comers * mean_sol / (1.0 - life.virality)


@jitable
def buy_ahead(life: Any, scratch: Any, sol: float) -> None:
    """Schedule buys of this much SOL in all, give or take, within a slot or two."""
    left = sol * lognormal(life, 1.0, b.AHEAD_SIGMA)
    for _ in range(_PARTS_MAX):
        part = min(left, life.wealth_sol * between(life, 0.05, 0.5))
        if part < b.FOLLOW_FROM_SOL:
            return
        schedule(life, scratch, exponential(life, b.AHEAD_WAIT_S), b.BUY_AHEAD, int(part * LAMPORTS_PER_SOL))
        left -= part
