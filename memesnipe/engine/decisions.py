"""Decisions: entries and exits of a strategy at an event (compiled)."""

from typing import Any

from memesnipe.compiled import inlined
from memesnipe.engine.due import close, send, send_exit
from memesnipe.engine.evidence import on_entry_sent
from memesnipe.engine.fills import (
    LIQUIDATED,
    SIGNAL,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    network_fee_lamports,
)
from memesnipe.engine.holdings import follow, value_lamports
from memesnipe.engine.layout import MAX_EXPOSURES, NO_EXPOSURE
from memesnipe.engine.standing import score_of
from memesnipe.engine.trader import Trader
from memesnipe.market.events import BUY_SIDE, FUNDING, PRICE, SHORT_SIDE
from memesnipe.market.pools import quote_buy, recorded_pool
from memesnipe.sdk.strategy import SHORT

_NO_REASON = -1


@inlined
def may_enter(trader: Trader, age_ns: int, liquidity_usd: float) -> bool:
    """Return whether the filters and the cash permit an entry into a token of this age and liquidity."""
    strategy = trader.strategy
    if liquidity_usd < strategy.min_liquidity_usd or age_ns < strategy.min_age_ns:
        return False
    return trader.account.exposures < MAX_EXPOSURES and _budget(trader) > 0


@inlined
def _budget(trader: Trader) -> int:
    """Return the lamports that an entry may cost; none if it is not above 0."""
    account, fee = trader.account, network_fee_lamports(trader.model)
    # Reserve the network fee of every exposure's exit: it must be paid before the sale yields anything.
    reserved = account.reserved_lamports + (account.orders_in_flight + account.exposures) * fee
    return min(int(account.capital_lamports * trader.strategy.size), account.cash_lamports - reserved - 2 * fee)


@inlined
def try_entry(trader: Trader, ts: int, seq: int, slot: int, market: Any) -> int:
    """Send an order to buy, or to open a short, if the votes, the filters and the cash permit an entry.

    Returns:
        The exposure, or NO_EXPOSURE.
    """
    side = _side(trader.strategy, trader.votes, market)
    if side == 0 or not may_enter(trader, ts - market.born_ts, market.liquidity_usd):
        return NO_EXPOSURE
    budget = _budget(trader)
    expected = int(market.mark_usd * 1e6)
    if side == BUY_SIDE:
        expected = quote_buy(recorded_pool(market), budget).token_raw
    if expected <= 0:
        return NO_EXPOSURE
    k = _expose(trader, slot, market)
    exposure = trader.exposures[k]
    exposure.order.side = side
    exposure.order.budget_lamports = budget
    exposure.order.token_raw = 0
    exposure.order.expected = expected
    send(trader, exposure, SIGNAL, ts, seq)
    on_entry_sent(trader.evidence, trader.row, k, exposure.market.token, budget)
    return k


@inlined
def _side(strategy: Any, votes: Any, market: Any) -> int:
    """Return the side of the entry that the votes call for, or 0."""
    score = score_of(strategy, votes)
    if score >= strategy.vote_threshold:
        return BUY_SIDE
    if score <= -strategy.vote_threshold and market.mark_usd > 0.0:
        for gene in range(strategy.genes):
            if votes[gene] == SHORT:
                return SHORT_SIDE
    return 0


@inlined
def _expose(trader: Trader, slot: int, market: Any) -> int:
    """Allocate a free exposure to this incarnation of the token; return its index."""
    k = 0
    while trader.exposures[k].used != 0:
        k += 1
    exposure = trader.exposures[k]
    exposure.used = 1
    exposure.slot = slot
    exposure.ready_ts = 0
    exposure.market = market
    trader.vote_states[slot].exposure = k
    trader.account.exposures += 1
    return k


@inlined
def on_event_while_exposed(trader: Trader, event: Any, kind: int, k: int, market: Any, has_voted: bool) -> None:
    """Update the exposure ``k`` with the market, and send an exit if a stop or the votes call for one.

    ``kind`` is that of the event: most events change nothing but the market, and their record is not read, because it
    is seldom in the cache.
    """
    strategy, exposure = trader.strategy, trader.exposures[k]
    holding = exposure.holding
    if kind == FUNDING or market.pool.venue != exposure.market.pool.venue:  # others change no holding
        follow(holding, exposure.market, event)
    exposure.market = market
    if exposure.order.side != 0:
        return
    reason = _NO_REASON
    if kind == (PRICE if holding.held > 0 else FUNDING):
        value = value_lamports(holding, exposure.market)
        if holding.held < 0 and value == 0:
            close(trader, k, LIQUIDATED, event.ts, event.seq)
            return
        reason = _stop(strategy, exposure, value)
    if reason == _NO_REASON and has_voted:
        score = score_of(strategy, trader.votes)
        if score * holding.held <= -strategy.vote_threshold:
            reason = SIGNAL
    if reason != _NO_REASON:
        send_exit(trader, exposure, reason, event.ts, event.seq)


@inlined
def _stop(strategy: Any, exposure: Any, value: int) -> int:
    exposure.best_value_lamports = max(exposure.best_value_lamports, value)
    if value <= exposure.holding.cost_lamports * (1.0 - strategy.stop_loss):
        return STOP_LOSS
    if value >= exposure.holding.cost_lamports * (1.0 + strategy.take_profit):
        return TAKE_PROFIT
    if value <= exposure.best_value_lamports * (1.0 - strategy.trailing_stop):
        return TRAILING_STOP
    return _NO_REASON
