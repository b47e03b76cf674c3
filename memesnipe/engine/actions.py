"""Actions: the orders and outcomes of watched strategies, recorded for the arena and for backtests (compiled).

Compiled code does not allocate: `memesnipe.engine.kernel.advance` stops before the buffer can overflow and is called
again with an empty one.
"""

from typing import Any

from memesnipe.compiled import inlined
from memesnipe.engine.layout import MAX_EXPOSURES, SAMPLE_NS
from memesnipe.engine.trader import Trader


@inlined
def max_actions(dead_after_ns: int) -> int:
    """Return an upper bound on actions per strategy and event: every exposure may retry until its token is dead."""
    return 2 * (MAX_EXPOSURES + 1) * (dead_after_ns // SAMPLE_NS + 4)


@inlined
def write_order(trader: Trader, exposure: Any) -> None:
    """Append the order of an exposure to the actions."""
    _next(trader, exposure).is_outcome = 0


@inlined
def write_outcome(trader: Trader, exposure: Any, outcome: Any, ts: int, seq: int) -> None:
    """Append the outcome of an exposure's order to the actions."""
    action = _next(trader, exposure)
    action.is_outcome = 1
    action.ts = ts
    action.seq = seq
    action.failure = outcome.failure
    action.token_raw = outcome.token_raw
    action.sol_lamports = outcome.sol_lamports
    action.fee_lamports = outcome.fee_lamports
    action.network_fee_lamports = outcome.network_fee_lamports
    action.pool_sol_lamports = outcome.pool_sol_lamports


@inlined
def _next(trader: Trader, exposure: Any) -> Any:
    """Return the next free action, with the order of the exposure."""
    action = trader.actions[trader.written[0]]
    trader.written[0] += 1
    action.row = trader.row
    action.is_between_events = trader.account.is_between_events
    action.token = exposure.market.token
    action.order = exposure.order
    return action
