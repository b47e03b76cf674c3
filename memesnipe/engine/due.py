"""Work due between events: arriving orders, longest holds, dead tokens, equity samples (compiled)."""

from typing import Any

import numpy as np

from memesnipe.compiled import inlined, jitable, merged
from memesnipe.engine.actions import write_order, write_outcome
from memesnipe.engine.evidence import on_outcome
from memesnipe.engine.exposure import book, digest_of, due_ts, release
from memesnipe.engine.fills import DEAD, MAX_HOLD, Outcome, network_fee_lamports
from memesnipe.engine.holdings import closed_at_value, outcome_of, pool_of, value_lamports
from memesnipe.engine.layout import MAX_EXPOSURES, NEVER, SAMPLE_NS
from memesnipe.engine.orders import cash_change_lamports
from memesnipe.engine.trader import Trader
from memesnipe.market.events import COVER_SIDE, SELL_SIDE


@merged
def process_due(trader: Trader, ts: int, seq: int) -> None:
    """Process everything due before ``ts`` in time order, then sample up to ``ts``; ``seq`` is the last event's."""
    account, dead_after_ns = trader.account, trader.model.dead_after_ns
    account.is_between_events = 1
    account.next_due_ts = ts - 1  # not known yet
    while account.next_due_ts < ts:
        chosen, at_ts, others_ts = _find_due(trader)
        account.next_due_ts = at_ts
        if at_ts >= ts:
            break
        sample(trader, at_ts)
        exposure = trader.exposures[chosen]
        if exposure.order.side != 0:
            _end_order(trader, chosen, at_ts, seq)
        elif exposure.market.ts + dead_after_ns <= at_ts:
            close(trader, chosen, DEAD, at_ts, seq)
        else:
            exposure.leave_ts = at_ts + SAMPLE_NS  # when to retry if the sale fails
            send_exit(trader, exposure, MAX_HOLD, at_ts, seq)
        again_ts = NEVER if exposure.used == 0 else due_ts(exposure, dead_after_ns)
        account.next_due_ts = min(others_ts, again_ts)
    sample(trader, ts)
    account.is_between_events = 0


@inlined
def _find_due(trader: Trader) -> tuple[int, int, int]:
    """Return the exposure whose work is due first or -1, when it is due, and when that of the others is due.

    Of several that are due at the same time, the token with the lowest number is the first.
    """
    chosen, at_ts, others_ts = -1, NEVER, NEVER
    left = trader.account.exposures
    for k in range(MAX_EXPOSURES):
        if left == 0:
            break  # the others are not used, and may not be in the cache
        exposure = trader.exposures[k]
        if exposure.used == 0:
            continue
        left -= 1
        due = due_ts(exposure, trader.model.dead_after_ns)
        is_tie = chosen >= 0 and due == at_ts
        if due < at_ts or (is_tie and exposure.market.token < trader.exposures[chosen].market.token):
            chosen, at_ts, others_ts = k, due, at_ts
        else:
            others_ts = min(others_ts, due)
    return chosen, at_ts, others_ts


@inlined
def _end_order(trader: Trader, k: int, ts: int, seq: int) -> None:
    exposure = trader.exposures[k]
    holding, market, order = exposure.holding, exposure.market, exposure.order
    outcome = outcome_of(holding, pool_of(holding, market), market, order, trader.strategy.key, trader.model)
    trader.account.orders_in_flight -= 1
    trader.account.reserved_lamports -= order.budget_lamports
    _end(trader, k, outcome, ts, seq)


@inlined
def _end(trader: Trader, k: int, outcome: Outcome, ts: int, seq: int) -> None:
    account, exposure = trader.account, trader.exposures[k]
    side = exposure.order.side
    token: Any = np.int64(exposure.market.token)  # every value of the digest has the same type
    account.digest = digest_of(account.digest, exposure.order.order_no, token, side, ts, outcome)
    if trader.strategy.watched != 0:
        write_outcome(trader, exposure, outcome, ts, seq)
    book(account, exposure, side, outcome, ts, trader.strategy.max_hold_ns)
    exposure.order.side = 0
    exposure.ready_ts = ts
    has_ended = exposure.holding.held == 0
    fees = outcome.fee_lamports + outcome.network_fee_lamports
    change = cash_change_lamports(side, outcome.sol_lamports, fees)
    on_outcome(trader.evidence, trader.row, k, token, change, has_ended)
    if has_ended:
        release(account, exposure, k, trader.vote_states)


@jitable  # not inlined: it is rare, and contains much
def close(trader: Trader, k: int, reason: int, ts: int, seq: int) -> None:
    """Close a position immediately at its value, without a transaction: the token is dead or the margin is used up."""
    exposure = trader.exposures[k]
    _number_order(trader, exposure.order, reason, ts, seq)
    exposure.order.due_ts = ts
    outcome = _set_exit(exposure)
    if trader.strategy.watched != 0:
        write_order(trader, exposure)
    _end(trader, k, outcome, ts, seq)


@inlined
def send_exit(trader: Trader, exposure: Any, reason: int, ts: int, seq: int) -> None:
    """Send an order to sell the whole holding or cover the short, unless the cash cannot pay a sale's network fee."""
    account, fee = trader.account, network_fee_lamports(trader.model)
    reserved = account.reserved_lamports + account.orders_in_flight * fee
    if exposure.holding.held > 0 and account.cash_lamports - reserved < fee:
        return
    _set_exit(exposure)
    send(trader, exposure, reason, ts, seq)


@inlined
def _set_exit(exposure: Any) -> Outcome:
    """Set the order to close the whole position; return the outcome of closing it now without a transaction."""
    holding, order = exposure.holding, exposure.order
    outcome = closed_at_value(holding, pool_of(holding, exposure.market), exposure.market)
    order.side = SELL_SIDE if holding.held > 0 else COVER_SIDE
    order.budget_lamports = 0
    order.token_raw = holding.token_raw
    order.expected = outcome.sol_lamports - outcome.fee_lamports
    return outcome


@inlined
def _number_order(trader: Trader, order: Any, reason: int, ts: int, seq: int) -> None:
    trader.account.orders += 1
    order.order_no = trader.account.orders
    order.reason = reason
    order.decided_between_events = trader.account.is_between_events
    order.decided_ts = ts
    order.decided_seq = seq


@inlined
def send(trader: Trader, exposure: Any, reason: int, ts: int, seq: int) -> None:
    """Number and send the order whose side, budget and expectation are already set in the exposure."""
    account, order = trader.account, exposure.order
    _number_order(trader, order, reason, ts, seq)
    account.orders_in_flight += 1
    account.reserved_lamports += order.budget_lamports
    order.due_ts = ts + trader.model.latency_ns
    account.next_due_ts = min(account.next_due_ts, order.due_ts)
    trader.vote_states[exposure.slot].spent = trader.spending[0]  # a decision spends the votes
    if trader.strategy.watched != 0:
        write_order(trader, exposure)


@merged
def sample(trader: Trader, ts: int) -> None:
    """Sample the equity at the end of each interval up to ``ts``; if several ended, all but the first return 0."""
    account = trader.account
    if account.capital_lamports != 0 and ts >= account.next_sample_ts:
        _sample(account, trader.exposures, trader.returns[trader.row], trader.first_sample_ts, ts)


@jitable  # not inlined: it is rare, and contains much
def _sample(account: Any, exposures: Any, returns: Any, first_sample_ts: int, ts: int) -> None:
    """Do what `sample` does where an interval has ended; ``returns`` is the strategy's own row."""
    ended = (ts - account.next_sample_ts) // SAMPLE_NS + 1
    equity = equity_lamports(account, exposures)
    if account.sampled_lamports > 0:
        change = equity / account.sampled_lamports - 1.0
        at = (account.next_sample_ts - first_sample_ts) // SAMPLE_NS
        if 0 <= at < len(returns):
            returns[at] = np.float32(change)
        account.sum += change
        account.sum_of_squares += change * change
        account.sum_of_cubes += change * change * change
        account.sum_of_fourths += change * change * change * change
        if change < 0.0:
            account.sum_of_squares_below += change * change
    account.periods += ended
    account.sampled_lamports = equity
    account.peak_lamports = max(account.peak_lamports, equity)
    if account.peak_lamports > 0:
        account.max_drawdown = max(account.max_drawdown, 1.0 - equity / account.peak_lamports)
    account.next_sample_ts += ended * SAMPLE_NS


@jitable
def equity_lamports(account: Any, exposures: Any) -> int:
    """Return cash plus the value of all holdings."""
    equity, left = account.cash_lamports, account.exposures
    for k in range(MAX_EXPOSURES):
        if left == 0:
            break
        if exposures[k].used != 0:
            left -= 1
            equity += value_lamports(exposures[k].holding, exposures[k].market)
    return equity
