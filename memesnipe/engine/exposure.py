"""An exposure: a strategy's holding of one token and its order there, their value and their bookkeeping (compiled)."""

from typing import Any

import numpy as np

from memesnipe.compiled import jitable
from memesnipe.engine.fills import (
    NOT_LANDED,
    Outcome,
    cover_short,
    failed,
    fill_in_pool,
    lands,
    open_short,
    short_value_lamports,
)
from memesnipe.engine.landing import mix
from memesnipe.engine.layout import NEVER, NO_EXPOSURE
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, SELL_SIDE, SHORT_SIDE
from memesnipe.market.pools import Pool, moved, value_of


@jitable
def pool_of(exposure: Any) -> Pool:
    """Return the pool that the strategy trades with: the recorded pool shifted by the strategy's own trades."""
    return moved(exposure.market.pool, exposure.shift_sol_lamports, exposure.shift_token_raw)


@jitable
def value_lamports(exposure: Any) -> int:
    """Return the proceeds of leaving the whole position now at the pool or the perp venue, after the pool's fees."""
    if exposure.held > 0:
        quote = value_of(pool_of(exposure), exposure.held_raw)
        return quote.sol_lamports - quote.fee_lamports
    if exposure.held < 0:
        return short_value_lamports(
            exposure.margin_lamports,
            exposure.notional_usd,
            exposure.entry_mark_usd,
            exposure.funding_usd,
            exposure.market.mark_usd,
            exposure.market.sol_usd,
        )
    return 0


@jitable
def cover(exposure: Any) -> Outcome:
    """Return the outcome of covering the short now."""
    value = value_lamports(exposure)
    return cover_short(value, exposure.margin_lamports, exposure.entry_mark_usd, exposure.market.mark_usd)


@jitable
def due_ts(exposure: Any, dead_after_ns: int) -> int:
    """Return the time of the next work without an event; NEVER while there is no holding and no order in flight."""
    if exposure.order_side != 0:
        return exposure.due_ts
    if exposure.held == 0:
        return NEVER
    return max(min(exposure.market.ts + dead_after_ns, exposure.leave_ts), exposure.ready_ts)


@jitable
def outcome_of_order(exposure: Any, key: int, model: Any) -> Outcome:
    """Return the outcome of the order in flight on its arrival at the chain or the perp venue."""
    side = exposure.order_side
    if side == SHORT_SIDE:
        return open_short(exposure.budget_lamports, exposure.expected, exposure.market.mark_usd, model)
    if side not in (BUY_SIDE, SELL_SIDE):
        return cover(exposure)
    if not lands(model, key, exposure.order_no):
        return failed(NOT_LANDED, model)
    return fill_in_pool(side, exposure.budget_lamports, exposure.held_raw, exposure.expected, pool_of(exposure), model)


@jitable
def book(account: Any, exposure: Any, side: int, outcome: Outcome, ts: int, max_hold_ns: int) -> None:
    """Book an outcome into the account and the exposure."""
    fees = outcome.fee_lamports + outcome.network_fee_lamports
    account.fees_lamports += fees
    if outcome.failure != 0:
        account.failed += 1
        account.cash_lamports -= fees
        return
    account.fills += 1
    if side in (BUY_SIDE, SHORT_SIDE):
        cost = outcome.sol_lamports + fees
        account.cash_lamports -= cost
        exposure.cost_lamports = cost
        exposure.opened_ts = ts
        exposure.leave_ts = ts + max_hold_ns
        exposure.best_value_lamports = 0
        if side == BUY_SIDE:
            exposure.held = 1
            exposure.held_raw = outcome.token_raw
            exposure.shift_sol_lamports = outcome.pool_sol_lamports
            exposure.shift_token_raw = -outcome.token_raw
        else:
            exposure.held = -1
            exposure.margin_lamports = outcome.sol_lamports
            exposure.notional_usd = outcome.sol_lamports / LAMPORTS_PER_SOL * exposure.market.sol_usd
            exposure.entry_mark_usd = exposure.market.mark_usd
            exposure.funding_usd = 0.0
        return
    proceeds = outcome.sol_lamports - fees
    profit = proceeds - exposure.cost_lamports
    account.cash_lamports += proceeds
    account.round_trips += 1
    account.held_ns += ts - exposure.opened_ts
    if profit > 0:
        account.wins += 1
        account.gross_profit_lamports += profit
    else:
        account.gross_loss_lamports -= profit
    exposure.held = 0


@jitable
def release(account: Any, exposure: Any, vote_states: Any) -> None:
    """Free an exposure without a holding and without an order in flight."""
    vote_state = vote_states[exposure.slot]
    if vote_state.incarnation == exposure.market.incarnation:
        vote_state.exposure = NO_EXPOSURE
    exposure.used = 0
    exposure.held_raw = 0
    exposure.shift_sol_lamports = 0
    exposure.shift_token_raw = 0
    account.exposures -= 1


@jitable
def digest_of(before: Any, order_no: int, token: int, side: int, ts: int, outcome: Outcome) -> Any:
    """Return the hash of all outcomes so far: ``before`` extended by one outcome."""
    digest = before
    for value in (
        order_no,
        token,
        side,
        ts,
        outcome.failure,
        outcome.token_raw,
        outcome.sol_lamports,
        outcome.fee_lamports,
        outcome.network_fee_lamports,
    ):
        digest = mix(digest ^ np.uint64(value))
    return digest
