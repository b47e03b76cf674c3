"""Work due between events: arriving orders, longest holds, dead tokens, equity samples (compiled)."""

from typing import Any

import numpy as np

from memesnipe.compiled import jitable
from memesnipe.engine.actions import write_order, write_outcome
from memesnipe.engine.exposure import book, cover, digest_of, due_ts, outcome_of_order, pool_of, release, value_lamports
from memesnipe.engine.fills import DEAD, LANDED, MAX_HOLD, Outcome, network_fee_lamports
from memesnipe.engine.layout import MAX_EXPOSURES, NEVER, SAMPLE_NS
from memesnipe.engine.trader import Trader
from memesnipe.market.events import COVER_SIDE, SELL_SIDE
from memesnipe.market.pools import value_of


@jitable
def process_due(trader: Trader, ts: int, seq: int) -> None:
    """Process everything due before ``ts`` in time order, then sample up to ``ts``; ``seq`` is the last event's."""
    account, dead_after_ns = trader.account, trader.model.dead_after_ns
    account.is_between_events = 1
    while True:
        chosen, at_ts = -1, ts
        account.next_due_ts = NEVER
        for k in range(MAX_EXPOSURES):
            exposure = trader.exposures[k]
            if exposure.used == 0:
                continue
            due = due_ts(exposure, dead_after_ns)
            account.next_due_ts = min(account.next_due_ts, due)
            is_tie = chosen >= 0 and due == at_ts
            if due < at_ts or (is_tie and exposure.market.token < trader.exposures[chosen].market.token):
                chosen, at_ts = k, due
        if chosen < 0:
            break
        sample(trader, at_ts)
        exposure = trader.exposures[chosen]
        if exposure.order_side != 0:
            _end_order(trader, exposure, at_ts, seq)
        elif exposure.market.ts + dead_after_ns <= at_ts:
            close(trader, exposure, DEAD, at_ts, seq)
        else:
            exposure.leave_ts = at_ts + SAMPLE_NS  # when to retry if the sale fails
            send_exit(trader, exposure, MAX_HOLD, at_ts, seq)
    sample(trader, ts)
    account.is_between_events = 0


@jitable
def _end_order(trader: Trader, exposure: Any, ts: int, seq: int) -> None:
    outcome = outcome_of_order(exposure, trader.strategy.key, trader.model)
    trader.account.orders_in_flight -= 1
    trader.account.reserved_lamports -= exposure.budget_lamports
    _end(trader, exposure, outcome, ts, seq)


@jitable
def _end(trader: Trader, exposure: Any, outcome: Outcome, ts: int, seq: int) -> None:
    account, side = trader.account, exposure.order_side
    account.digest = digest_of(account.digest, exposure.order_no, exposure.market.token, side, ts, outcome)
    if trader.strategy.watched != 0:
        write_outcome(trader, exposure, outcome, ts, seq)
    book(account, exposure, side, outcome, ts, trader.strategy.max_hold_ns)
    exposure.order_side = 0
    exposure.ready_ts = ts
    if exposure.held == 0:
        release(account, exposure, trader.vote_states)


@jitable
def close(trader: Trader, exposure: Any, reason: int, ts: int, seq: int) -> None:
    """Close a position immediately at its value, without a transaction: the token is dead or the margin is used up."""
    _number_order(trader, exposure, reason, ts, seq)
    exposure.due_ts = ts
    exposure.budget_lamports = 0
    if exposure.held > 0:
        exposure.order_side = SELL_SIDE
        quote = value_of(pool_of(exposure), exposure.held_raw)
        outcome = Outcome(LANDED, exposure.held_raw, quote.sol_lamports, quote.fee_lamports, quote.pool_sol_lamports, 0)
    else:
        exposure.order_side = COVER_SIDE
        outcome = cover(exposure)
    exposure.expected = outcome.sol_lamports - outcome.fee_lamports
    if trader.strategy.watched != 0:
        write_order(trader, exposure)
    _end(trader, exposure, outcome, ts, seq)


@jitable
def send_exit(trader: Trader, exposure: Any, reason: int, ts: int, seq: int) -> None:
    """Send an order to sell the whole holding or cover the short, unless the cash cannot pay a sale's network fee."""
    account, fee = trader.account, network_fee_lamports(trader.model)
    reserved = account.reserved_lamports + account.orders_in_flight * fee
    if exposure.held > 0 and account.cash_lamports - reserved < fee:
        return
    exposure.budget_lamports = 0
    if exposure.held > 0:
        exposure.order_side = SELL_SIDE
        exposure.expected = value_lamports(exposure)
    else:
        exposure.order_side = COVER_SIDE
        outcome = cover(exposure)
        exposure.expected = outcome.sol_lamports - outcome.fee_lamports
    send(trader, exposure, reason, ts, seq)


@jitable
def _number_order(trader: Trader, exposure: Any, reason: int, ts: int, seq: int) -> None:
    trader.account.orders += 1
    exposure.order_no = trader.account.orders
    exposure.order_reason = reason
    exposure.order_decided_between_events = trader.account.is_between_events
    exposure.decided_ts = ts
    exposure.decided_seq = seq


@jitable
def send(trader: Trader, exposure: Any, reason: int, ts: int, seq: int) -> None:
    """Number and send the order whose side, budget and expectation are already set in the exposure."""
    account = trader.account
    _number_order(trader, exposure, reason, ts, seq)
    account.orders_in_flight += 1
    account.reserved_lamports += exposure.budget_lamports
    exposure.due_ts = ts + trader.model.latency_ns
    account.next_due_ts = min(account.next_due_ts, exposure.due_ts)
    vote_state = trader.vote_states[exposure.slot]
    if vote_state.incarnation == exposure.market.incarnation:  # a decision spends the votes
        for gene in range(trader.strategy.genes):
            vote_state.votes[gene] = 0
    if trader.strategy.watched != 0:
        write_order(trader, exposure)


@jitable
def sample(trader: Trader, ts: int) -> None:
    """Sample the equity at the end of each interval up to ``ts``; if several ended, all but the first return 0."""
    account = trader.account
    if account.capital_lamports == 0 or ts < account.next_sample_ts:
        return
    ended = (ts - account.next_sample_ts) // SAMPLE_NS + 1
    equity = equity_lamports(account, trader.exposures)
    if account.sampled_lamports > 0:
        change = equity / account.sampled_lamports - 1.0
        at = (account.next_sample_ts - trader.first_sample_ts) // SAMPLE_NS
        if 0 <= at < trader.returns.shape[1]:
            trader.returns[trader.row, at] = np.float32(change)
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
    equity = account.cash_lamports
    if account.exposures > 0:
        for k in range(MAX_EXPOSURES):
            if exposures[k].used != 0:
                equity += value_lamports(exposures[k])
    return equity
