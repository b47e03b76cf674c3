"""The planted edges: causes that anybody can observe, and their effects, in a tenth of the tokens.

A cause is over before an order can reach the chain, and has its effect 7 times in 10. Sizes are log moves of the price.
"""

import math
from typing import Any

from memesnipe.compiled import jitable
from memesnipe.feeds.synth_market import behaviour as b
from memesnipe.feeds.synth_market.agenda import schedule
from memesnipe.feeds.synth_market.draws import between, exponential, uniform
from memesnipe.feeds.synth_market.edge import MEAN_REVERSION_CODE, MOMENTUM_CODE, NONE_CODE
from memesnipe.feeds.synth_market.execution import buy, sell
from memesnipe.feeds.synth_market.life import COMPLETE, PERSON
from memesnipe.feeds.synth_market.records import write_social
from memesnipe.feeds.synth_market.traders import draw_wallet, own

_TOKENS_SHARE = 0.1
_FROM_S = (600.0, 1_200.0)  # age of the token at the first cause, when its launch is over
_LASTS_S = 7_200.0
_EVERY_S = 500.0
_AT_LEAST_S = 400.0  # between two causes
_FOLLOWS = 0.7
_CAUSE_S = 1.2
_COLLECTS_S = 360.0  # in which the owner collects what a large sale sells


@jitable
def begin(life: Any, scratch: Any) -> None:
    """Schedule the first cause, if the market has an edge and the token is one of those that have it."""
    if scratch.edge != NONE_CODE and uniform(life) < _TOKENS_SHARE:
        schedule(life, scratch, between(life, _FROM_S[0], _FROM_S[1]), b.EDGE_CAUSE, 0)


@jitable
def cause(life: Any, scratch: Any) -> None:
    """Schedule a cause and its effect, and the next cause."""
    if life.now_s > _LASTS_S or life.state == COMPLETE:
        return
    follows = uniform(life) < _FOLLOWS
    if scratch.edge == MOMENTUM_CODE:
        _buy_over(life, scratch, 0.08, 0.0, _CAUSE_S, 3)
        if follows:
            _buy_over(life, scratch, 0.24, _CAUSE_S + between(life, 3.0, 10.0), between(life, 120.0, 200.0), 30)
    elif scratch.edge == MEAN_REVERSION_CODE:
        _collect(life, scratch, 0.5, 30)
        if follows:
            after_s = _COLLECTS_S + _CAUSE_S + between(life, 10.0, 40.0)
            _buy_over(life, scratch, 0.34, after_s, between(life, 60.0, 150.0), 4)
    else:
        write_social(life, scratch, between(life, 0.4, 0.8), between(life, 200.0, 400.0))
        if follows:
            _buy_over(life, scratch, 0.14, between(life, 20.0, 45.0), between(life, 0.5, 1.2), 5)
    schedule(life, scratch, _AT_LEAST_S + exponential(life, _EVERY_S), b.EDGE_CAUSE, 0)


@jitable
def _part_lamports(life: Any, move: float, trades: int) -> int:
    """Return the size of one of several buys that together move the price by ``move``."""
    return int(life.pool.sol_lamports * (math.exp(move / 2.0) - 1.0) / trades * between(life, 0.7, 1.3))


@jitable
def _buy_over(life: Any, scratch: Any, move: float, after_s: float, takes_s: float, trades: int) -> None:
    for _ in range(trades):
        at_s = after_s + takes_s * uniform(life)
        schedule(life, scratch, at_s, b.EDGE_BUY, _part_lamports(life, move, trades))


@jitable
def _collect(life: Any, scratch: Any, move: float, trades: int) -> None:
    for _ in range(trades):
        at_s = 0.95 * _COLLECTS_S * uniform(life)
        schedule(life, scratch, at_s, b.EDGE_COLLECT, _part_lamports(life, move, trades))
    schedule(life, scratch, _COLLECTS_S, b.EDGE_DUMP, 0)


@jitable
def buys(life: Any, scratch: Any, lamports: int) -> None:
    """Execute a buy of a cause or an effect; its owner sells like other people."""
    wallet = draw_wallet(life, PERSON)
    token_raw = buy(life, scratch, lamports, wallet)
    if token_raw > 0:
        own(life, scratch, token_raw, wallet, PERSON)


@jitable
def collects(life: Any, scratch: Any, lamports: int) -> None:
    """Execute a buy of the owner who will sell everything at once."""
    if life.collected_raw == 0:
        life.collector = draw_wallet(life, PERSON)
    life.collected_raw += buy(life, scratch, lamports, life.collector)


@jitable
def dumps(life: Any, scratch: Any) -> None:
    """Sell at once what was collected."""
    if life.collected_raw > 0 and sell(life, scratch, life.collected_raw, life.collector):
        life.collected_raw = 0
