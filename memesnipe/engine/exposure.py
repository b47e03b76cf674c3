"""An exposure: a strategy's holding of one token and its order there, and their bookkeeping (compiled)."""

from typing import Any

import numpy as np

from memesnipe.compiled import jitable
from memesnipe.engine.fills import Outcome
from memesnipe.engine.holdings import apply_outcome
from memesnipe.engine.landing import mix
from memesnipe.engine.layout import NEVER, NO_EXPOSURE
from memesnipe.engine.orders import ENTRIES, cash_change_lamports


@jitable
def due_ts(exposure: Any, dead_after_ns: int) -> int:
    """Return the time of the next work without an event; NEVER while there is no holding and no order in flight."""
    if exposure.order.side != 0:
        return exposure.order.due_ts
    if exposure.holding.held == 0:
        return NEVER
    return max(min(exposure.market.ts + dead_after_ns, exposure.leave_ts), exposure.ready_ts)


@jitable
def book(account: Any, exposure: Any, side: int, outcome: Outcome, ts: int, max_hold_ns: int) -> None:
    """Book an outcome into the account and the exposure."""
    holding = exposure.holding
    fees = outcome.fee_lamports + outcome.network_fee_lamports
    account.fees_lamports += fees
    account.cash_lamports += cash_change_lamports(side, outcome.sol_lamports, fees)
    if outcome.failure != 0:
        account.failed += 1
        return
    account.fills += 1
    profit = apply_outcome(holding, exposure.market, side, outcome, ts)
    if side in ENTRIES:
        exposure.leave_ts = ts + max_hold_ns
        exposure.best_value_lamports = 0
        return
    account.round_trips += 1
    account.held_ns += ts - holding.opened_ts
    if profit > 0:
        account.wins += 1
        account.gross_profit_lamports += profit
    else:
        account.gross_loss_lamports -= profit


@jitable
def release(account: Any, exposure: Any, k: int, vote_states: Any) -> None:
    """Free the exposure ``k``, without a holding and without an order in flight."""
    vote_state = vote_states[exposure.slot]
    if vote_state.exposure == k:  # else a later incarnation in the slot has another exposure
        vote_state.exposure = NO_EXPOSURE
    exposure.used = 0
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
