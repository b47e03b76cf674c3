"""What falls due between events: orders that reach the chain, longest holds, deaths of tokens, equity samples (compiled)."""

from typing import Any

import numpy as np

from memesnipe.compiled import jitable
from memesnipe.engine.actions import write_order, write_outcome
from memesnipe.engine.exposure import book, digest_of, due_ts, outcome_of_order, pool_of, release, value_lamports
from memesnipe.engine.fills import DEAD, LANDED, MAX_HOLD, Outcome, cover_short, network_fee_lamports
from memesnipe.engine.layout import MAX_EXPOSURES, NEVER, SAMPLE_NS
from memesnipe.market.events import COVER_SIDE, SELL_SIDE
from memesnipe.market.pools import value_of


@jitable
def pass_time(
    row: int, term: Any, account: Any, exposures: Any, heads: Any, model: Any, ts: int, seq: int,
    returns: Any, first_sample_ts: int, actions: Any, written: Any,
) -> None:  # fmt: skip
    """Do what falls due strictly before ``ts``, in order, and sample what ends up to it; ``seq`` is the last event's."""
    account.between = 1
    while True:
        chosen, at_ts = -1, ts
        account.next_due_ts = NEVER
        for k in range(MAX_EXPOSURES):
            if exposures[k].used == 0:
                continue
            due = due_ts(exposures[k], model.dead_after_ns)
            account.next_due_ts = min(account.next_due_ts, due)
            if due < at_ts or (chosen >= 0 and due == at_ts and exposures[k].token < exposures[chosen].token):
                chosen, at_ts = k, due
        if chosen < 0:
            break
        sample(row, account, exposures, at_ts, returns, first_sample_ts)
        exposure = exposures[chosen]
        if exposure.order_side != 0:
            _end_order(row, term, account, exposure, heads, model, at_ts, seq, actions, written)
        elif exposure.ts + model.dead_after_ns <= at_ts:
            close(row, term, account, exposure, heads, DEAD, at_ts, seq, actions, written)
        else:
            exposure.leave_ts = at_ts + SAMPLE_NS  # a sale that fails is tried again
            leave(row, term, account, exposure, heads, model, MAX_HOLD, at_ts, seq, actions, written)
    sample(row, account, exposures, ts, returns, first_sample_ts)
    account.between = 0


@jitable
def _end_order(
    row: int, term: Any, account: Any, exposure: Any, heads: Any, model: Any, ts: int, seq: int, actions: Any, written: Any
) -> None:  # fmt: skip
    outcome = outcome_of_order(exposure, term.key, model)
    account.orders_on_way -= 1
    account.budgets_on_way_lamports -= exposure.budget_lamports
    _end(row, term, account, exposure, heads, outcome, ts, seq, actions, written)


@jitable
def _end(
    row: int, term: Any, account: Any, exposure: Any, heads: Any, outcome: Outcome, ts: int, seq: int,
    actions: Any, written: Any,
) -> None:  # fmt: skip
    side = exposure.order_side
    account.digest = digest_of(account.digest, exposure.order_no, exposure.token, side, ts, outcome)
    if term.watched != 0:
        write_outcome(actions, written, row, account, exposure, outcome, ts, seq)
    book(account, exposure, side, outcome, ts, term.max_hold_ns)
    exposure.order_side = 0
    exposure.ready_ts = ts
    if exposure.held == 0:
        release(account, exposure, heads)


@jitable
def close(
    row: int, term: Any, account: Any, exposure: Any, heads: Any, reason: int, ts: int, seq: int, actions: Any, written: Any
) -> None:  # fmt: skip
    """End a position here and now at its value, without a transaction: its token is dead, or its margin gone."""
    account.orders += 1
    exposure.order_side = SELL_SIDE if exposure.held > 0 else COVER_SIDE
    exposure.order_no = account.orders
    exposure.order_reason = reason
    exposure.order_between = account.between
    exposure.decided_ts = ts
    exposure.decided_seq = seq
    exposure.due_ts = ts
    exposure.budget_lamports = 0
    if exposure.held > 0:
        quote = value_of(pool_of(exposure), exposure.held_raw)
        outcome = Outcome(
            LANDED, exposure.held_raw, quote.sol_lamports, quote.fee_lamports, quote.pool_sol_lamports, 0
        )
    else:
        outcome = cover_short(
            value_lamports(exposure), exposure.margin_lamports, exposure.entry_mark_usd, exposure.mark_usd
        )
    exposure.expected = outcome.sol_lamports - outcome.fee_lamports
    if term.watched != 0:
        write_order(actions, written, row, account, exposure)
    _end(row, term, account, exposure, heads, outcome, ts, seq, actions, written)


@jitable
def leave(
    row: int, term: Any, account: Any, exposure: Any, heads: Any, model: Any, reason: int, ts: int, seq: int,
    actions: Any, written: Any,
) -> None:  # fmt: skip
    """Send an order to sell all that is held, or to cover the short, unless the sale's fee cannot be paid."""
    fee = network_fee_lamports(model)
    reserved = account.budgets_on_way_lamports + account.orders_on_way * fee
    if exposure.held > 0 and account.cash_lamports - reserved < fee:
        return
    if exposure.held > 0:
        exposure.order_side = SELL_SIDE
        exposure.expected = value_lamports(exposure)
    else:
        exposure.order_side = COVER_SIDE
        outcome = cover_short(
            value_lamports(exposure), exposure.margin_lamports, exposure.entry_mark_usd, exposure.mark_usd
        )
        exposure.expected = outcome.sol_lamports - outcome.fee_lamports
    exposure.budget_lamports = 0
    send(row, term, account, exposure, heads, model, reason, ts, seq, actions, written)


@jitable
def send(
    row: int, term: Any, account: Any, exposure: Any, heads: Any, model: Any, reason: int, ts: int, seq: int,
    actions: Any, written: Any,
) -> None:  # fmt: skip
    """Number an order whose side, budget and expectation stand in the exposure, and send it on its way."""
    account.orders += 1
    account.orders_on_way += 1
    account.budgets_on_way_lamports += exposure.budget_lamports
    exposure.order_no = account.orders
    exposure.order_reason = reason
    exposure.order_between = account.between
    exposure.decided_ts = ts
    exposure.decided_seq = seq
    exposure.due_ts = ts + model.latency_ns
    account.next_due_ts = min(account.next_due_ts, exposure.due_ts)
    head = heads[exposure.slot]
    if head.life == exposure.life:  # a decision spends the votes
        for gene in range(term.genes):
            head.votes[gene] = 0
    if term.watched != 0:
        write_order(actions, written, row, account, exposure)


@jitable
def sample(row: int, account: Any, exposures: Any, ts: int, returns: Any, first_sample_ts: int) -> None:
    """Take the equity at the end of every interval that ends up to ``ts``: all but the first of them return 0."""
    if account.capital_lamports == 0 or ts < account.next_sample_ts:
        return
    ended = (ts - account.next_sample_ts) // SAMPLE_NS + 1
    equity = equity_lamports(account, exposures)
    if account.sampled_lamports > 0:
        change = equity / account.sampled_lamports - 1.0
        at = (account.next_sample_ts - first_sample_ts) // SAMPLE_NS
        if 0 <= at < returns.shape[1]:
            returns[row, at] = np.float32(change)
        account.sum += change
        account.sum_of_squares += change * change
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
    """Cash, and what everything held would pay now."""
    equity = account.cash_lamports
    if account.exposures > 0:
        for k in range(MAX_EXPOSURES):
            if exposures[k].used != 0:
                equity += value_lamports(exposures[k])
    return equity
