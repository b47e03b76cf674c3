"""The kernel: advances one strategy after the other over a batch; compiled once for all strategies.

A strategy looks only at the points at which something can happen: those at which its votes may call for an entry, those
of the tokens that it holds or has an order for, and the first event after work is due. All others change nothing.
"""

from typing import Any

import numpy as np

from memesnipe.compiled import compiled, inlined, merged
from memesnipe.engine.actions import max_actions
from memesnipe.engine.decisions import may_enter, on_event_while_exposed, try_entry
from memesnipe.engine.due import equity_lamports, process_due, sample
from memesnipe.engine.entries import entries_from, next_entry
from memesnipe.engine.fills import FillModel
from memesnipe.engine.layout import MAX_EXPOSURES, NO_EXPOSURE
from memesnipe.engine.memory import prefetch
from memesnipe.engine.points import NO_POINT
from memesnipe.engine.standing import is_entry, read_votes
from memesnipe.engine.trader import Batch, Trader


@compiled
def advance(
    strategy_params: Any, accounts: Any, exposures: Any, vote_states: Any, model: FillModel, batch: Batch, returns: Any,
    first_sample_ts: int, actions: Any, written: Any, evidence: Any, votes: Any, spending: Any, next_points: Any,
    resume_at: Any,
) -> bool:  # fmt: skip
    """Advance every strategy over a batch of deliveries.

    Args:
        strategy_params: shape (population,), dtype STRATEGY_PARAMS; ``accounts`` has the same shape, dtype ACCOUNT.
        accounts: see ``strategy_params``.
        exposures: shape (population, MAX_EXPOSURES), dtype EXPOSURE.
        vote_states: shape (population, slots), dtype VOTE_STATE.
        model: the parameters of order execution.
        batch: the deliveries, with the votes of all genes.
        returns: and the arguments up to ``next_points``: see `Trader`.
        resume_at: row, point and event to resume at, shape (3,); zeros at first.

    Returns:
        True when all strategies are done; False if ``actions`` is full: empty it and call again.
    """
    last_ts = batch.ts[batch.length - 1]
    for row in range(resume_at[0], len(strategy_params)):
        trader = Trader(
            row,
            strategy_params[row],
            accounts[row],
            exposures[row],
            vote_states[row],
            model,
            returns,
            first_sample_ts,
            actions,
            written,
            evidence,
            votes,
            spending,
            next_points,
        )
        if trader.account.capital_lamports > 0 and not _trade(trader, batch, resume_at):
            resume_at[0] = row
            return False
        resume_at[1] = resume_at[2] = 0
        sample(trader, last_ts)
    return True


@merged
def _trade(trader: Trader, batch: Batch, resume_at: Any) -> bool:
    """Advance one strategy; return False and where to resume if there is no room for its actions."""
    account, points = trader.account, batch.points
    point, event = resume_at[1], resume_at[2]  # all earlier points and events are done
    _find_next_points(trader, points, batch.deliveries, point)
    word, bits = entries_from(trader.strategy, batch, point)
    entry = exposed = -1
    while True:
        if entry < point:
            entry, word, bits = next_entry(trader.strategy, batch, word, bits)
        if account.exposures == 0:
            exposed = NO_POINT
        elif exposed < point:
            exposed = _next_exposed(trader, point)
        chosen = min(entry, exposed)
        at = batch.deliveries[points.own[chosen]].event if chosen != NO_POINT else batch.length - 1
        due = _first_due(account, batch.ts, event, at)
        if due < 0 and chosen == NO_POINT:
            return True
        if (
            due < 0
            and chosen < exposed
            and not may_enter(trader, batch.ts[at] - batch.born_ts[at], batch.liquidity[at])
        ):
            point, event = chosen + 1, at + 1
            continue
        if (
            trader.strategy.watched != 0
            and len(trader.actions) - trader.written[0] < max_actions(trader.model.dead_after_ns)
        ):  # fmt: skip
            resume_at[1], resume_at[2] = point, event
            return False
        if due >= 0:
            trader.spending[0] = batch.number + due - 1
            process_due(trader, batch.ts[due], batch.seq[due])
            event = due
        else:
            trader.spending[0] = batch.number + at
            exposed = min(exposed, _decide(trader, batch, chosen, at))
            point, event = chosen + 1, at + 1


@inlined
def _find_next_points(trader: Trader, points: Any, deliveries: Any, point: int) -> None:
    """Write the first point of each exposure from ``point`` on."""
    trader.next_points[:] = NO_POINT
    left = trader.account.exposures
    for k in range(MAX_EXPOSURES):
        if left == 0:
            break  # the others are not used, and may not be in the cache
        exposure = trader.exposures[k]
        if exposure.used == 0:
            continue
        left -= 1
        found = points.first_of[exposure.slot]
        if found != NO_POINT and deliveries[points.own[found]].incarnation != exposure.market.incarnation:
            continue  # the slot was taken by another token, or by a new incarnation
        while found < point:
            found = points.following[found]
        trader.next_points[k] = found


@inlined
def _next_exposed(trader: Trader, point: int) -> int:
    """Return the first point of any exposure from ``point`` on, or NO_POINT.

    An exposure that has ended may still have one, which need not be looked at, but may be.
    """
    found = NO_POINT
    for k in range(MAX_EXPOSURES):
        at = trader.next_points[k]
        found = min(found, at if at >= point else NO_POINT)
    return found


@inlined
def _first_due(account: Any, ts: Any, event: int, stop: int) -> int:
    """Return the first event from ``event`` up to ``stop`` before which work of the strategy is due, or -1.

    The events are in order of time.
    """
    limit = min(account.next_due_ts, account.next_sample_ts - 1)
    if account.exposures == 0 or event > stop or ts[stop] <= limit:
        return -1
    low, high = event, stop
    while low < high:
        middle = (low + high) // 2
        if ts[middle] > limit:
            high = middle
        else:
            low = middle + 1
    return low


@merged
def _decide(trader: Trader, batch: Batch, point: int, at: int) -> int:
    """Update what the strategy has at a point's token, or decide on an entry.

    Returns:
        The next point of the token if the strategy has an exposure in it, else NO_POINT.
    """
    delivery = batch.deliveries[batch.points.own[point]]
    slot, event, market = delivery.slot, batch.events[batch.first + at], batch.after[at]
    vote_state = trader.vote_states[slot]
    has_voted = read_votes(trader, batch, point, vote_state.spent)
    k: Any = np.int64(vote_state.exposure)  # a narrower number would compile what is done with it a second time
    if k != NO_EXPOSURE and trader.exposures[k].market.incarnation == delivery.incarnation:
        on_event_while_exposed(trader, event, delivery.kind, k, market, has_voted)
    elif has_voted and is_entry(trader.strategy, trader.votes):
        sample(trader, batch.ts[at])
        k = try_entry(trader, batch.ts[at], batch.seq[at + 1], slot, market)
    if k == NO_EXPOSURE:
        return NO_POINT
    following = batch.points.following[point]
    trader.next_points[k] = following
    if following != NO_POINT:
        _fetch_market(batch, batch.deliveries[batch.points.own[following]].event)
    return following


@inlined
def _fetch_market(batch: Batch, at: int) -> None:
    """Prefetch the market after an event, which is read when its point is reached."""
    address = batch.after.ctypes.data + at * batch.after.strides[0]
    prefetch(address)
    prefetch(address + 64)
    prefetch(address + batch.after.strides[0] - 1)


@compiled
def equities(accounts: Any, exposures: Any, out: Any) -> None:
    """Write the equity of each strategy in lamports into ``out``, shape (population,)."""
    for row in range(len(accounts)):
        out[row] = equity_lamports(accounts[row], exposures[row])
