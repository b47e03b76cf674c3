"""Decisions: whether an event makes a strategy enter or leave (compiled)."""

from typing import Any

from memesnipe.compiled import jitable
from memesnipe.engine.due import close, leave, send
from memesnipe.engine.exposure import remember, value_lamports
from memesnipe.engine.fills import (
    LIQUIDATED,
    SIGNAL,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    funding_usd,
    network_fee_lamports,
)
from memesnipe.engine.layout import MAX_EXPOSURES
from memesnipe.engine.trader import Trader
from memesnipe.market.events import BUY_SIDE, FUNDING, PRICE, SHORT_SIDE
from memesnipe.market.lives import recorded_pool
from memesnipe.market.pools import quote_buy
from memesnipe.sdk.strategy import SHORT

_NO_REASON = -1


@jitable
def score_of(term: Any, head: Any) -> float:
    """The weighted standing votes; SHORT counts as SELL."""
    score = 0.0
    for gene in range(term.genes):
        score += term.weights[gene] * max(head.votes[gene], -1)
    return score


@jitable
def try_entry(trader: Trader, event: Any, slot: int, market: Any) -> None:
    """Send an order to buy, or to open a short, where the votes, the filters and the cash call for it."""
    term, account, head = trader.term, trader.account, trader.heads[slot]
    side = _side(term, head, market)
    if side == 0 or account.exposures == MAX_EXPOSURES:
        return
    if market.liquidity_usd < term.min_liquidity_usd or event.ts - market.born_ts < term.min_age_ns:
        return
    fee = network_fee_lamports(trader.model)
    # Every exposure keeps the fee of its way out, which must be paid before its sale pays anything.
    reserved = account.budgets_on_way_lamports + (account.orders_on_way + account.exposures) * fee
    budget = min(int(account.capital_lamports * term.size), account.cash_lamports - reserved - 2 * fee)
    if budget <= 0:
        return
    expected = int(market.mark_usd * 1e6)
    if side == BUY_SIDE:
        expected = quote_buy(recorded_pool(market), budget).token_raw
    if expected <= 0:
        return
    exposure = _expose(trader, slot, market)
    exposure.order_side = side
    exposure.budget_lamports = budget
    exposure.expected = expected
    send(trader, exposure, SIGNAL, event.ts, event.seq)


@jitable
def _side(term: Any, head: Any, market: Any) -> int:
    """Which way the votes want to enter, or 0."""
    score = score_of(term, head)
    if score >= term.needed:
        return BUY_SIDE
    if score <= -term.needed and market.mark_usd > 0.0:
        for gene in range(term.genes):
            if head.votes[gene] == SHORT:
                return SHORT_SIDE
    return 0


@jitable
def _expose(trader: Trader, slot: int, market: Any) -> Any:
    """A free exposure, given to this life of a token."""
    k = 0
    while trader.exposures[k].used != 0:
        k += 1
    exposure = trader.exposures[k]
    exposure.used = 1
    exposure.slot = slot
    exposure.life = market.life
    exposure.token = market.token
    exposure.held = 0
    exposure.held_raw = 0
    exposure.ready_ts = 0
    remember(exposure, market)
    trader.heads[slot].exposure = k
    trader.account.exposures += 1
    return exposure


@jitable
def on_event_while_exposed(trader: Trader, event: Any, slot: int, market: Any, spoke: bool) -> None:
    """Take the market over, and leave the position where its stops or the votes say so."""
    term, head = trader.term, trader.heads[slot]
    exposure = trader.exposures[head.exposure]
    if exposure.held < 0 and event.kind == FUNDING and exposure.funding_ts > 0:
        since_ts = max(exposure.funding_ts, exposure.opened_ts)
        exposure.funding_usd += funding_usd(exposure.notional_usd, exposure.funding_rate, event.ts - since_ts)
    remember(exposure, market)
    if exposure.order_side != 0:
        return
    reason = _NO_REASON
    if event.kind == (PRICE if exposure.held > 0 else FUNDING):
        value = value_lamports(exposure)
        if exposure.held < 0 and value == 0:
            close(trader, exposure, LIQUIDATED, event.ts, event.seq)
            return
        reason = _stop(term, exposure, value)
    if reason == _NO_REASON and spoke and score_of(term, head) * exposure.held <= -term.needed:
        reason = SIGNAL
    if reason != _NO_REASON:
        leave(trader, exposure, reason, event.ts, event.seq)


@jitable
def _stop(term: Any, exposure: Any, value: int) -> int:
    exposure.best_value_lamports = max(exposure.best_value_lamports, value)
    if value <= exposure.cost_lamports * (1.0 - term.stop_loss):
        return STOP_LOSS
    if value >= exposure.cost_lamports * (1.0 + term.take_profit):
        return TAKE_PROFIT
    if value <= exposure.best_value_lamports * (1.0 - term.trailing_stop):
        return TRAILING_STOP
    return _NO_REASON
