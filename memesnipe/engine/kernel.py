"""The kernel: advances one strategy after the other over a batch of deliveries; compiled once for all strategies.

Each signal first computes its votes for the batch in its family's compiled loop; then the strategy trades on the votes.
A strategy of one signal without exposures skips to the next vote that calls for an entry.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types

from memesnipe.compiled import compiled, intrinsic_of, jitable
from memesnipe.engine.actions import max_actions
from memesnipe.engine.decisions import on_event_while_exposed, score_of, try_entry
from memesnipe.engine.due import equity_lamports, process_due, sample
from memesnipe.engine.fills import FillModel
from memesnipe.engine.layout import NO_EXPOSURE, NO_VOTE, VOTE_STATE
from memesnipe.engine.memory import prefetch
from memesnipe.engine.trader import Batch, Trader
from memesnipe.sdk.strategy import BUY, SHORT

_AHEAD: Final = 3  # rows between the one that is advanced and the one that is prefetched
_FETCHED: Final = 64  # deliveries of a batch whose memory is prefetched; in a larger one the misses do not dominate
_VOTE_STATE_SIZE: Final = VOTE_STATE.itemsize


@intrinsic_of
def _call_loop(  # type: ignore[no-untyped-def]
    typing_context, code, params, states, events, deliveries, subscribed, count, votes  # noqa: ARG001 - numba's protocol
):  # fmt: skip
    """Call a family's loop (`memesnipe.sdk.loops`) by its address; every argument but ``count`` is an address."""
    integers = [types.int64] * 8

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        word, pointer = ir.IntType(64), ir.IntType(8).as_pointer()
        arg_types = [pointer, pointer, pointer, pointer, pointer, word, pointer]
        loop = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), arg_types).as_pointer())
        typed = zip(args[1:], arg_types, strict=True)
        builder.call(loop, [builder.inttoptr(arg, pointer) if kind is pointer else arg for arg, kind in typed])
        return context.get_dummy_value()

    return types.void(*integers), generate


@compiled
def advance(
    strategy_params: Any, accounts: Any, exposures: Any, vote_states: Any, vote_states_at: int, model: FillModel,
    batch: Batch, returns: Any, first_sample_ts: int, actions: Any, written: Any, evidence: Any, resume_at: Any,
) -> bool:  # fmt: skip
    """Advance every strategy over a batch of deliveries.

    Args:
        strategy_params: shape (population,), dtype STRATEGY_PARAMS; ``accounts`` has the same shape, dtype ACCOUNT.
        accounts: see ``strategy_params``.
        exposures: shape (population, MAX_EXPOSURES), dtype EXPOSURE.
        vote_states: shape (population, slots), dtype VOTE_STATE.
        vote_states_at: the address of ``vote_states``.
        model: the parameters of order execution.
        batch: the deliveries.
        returns: and the arguments up to ``evidence``: see `Trader`.
        resume_at: row and delivery to resume at, shape (2,); (0, -1) at first. A delivery of 0 or more means that the
            votes of that row are computed already.

    Returns:
        True when all strategies are done; False if ``actions`` is full: empty it and call again.
    """
    last_ts = batch.events[batch.first + batch.length - 1].ts
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
        )
        if resume_at[1] < 0:
            if row + _AHEAD < len(strategy_params):
                _fetch(strategy_params[row + _AHEAD], vote_states_at + (row + _AHEAD) * vote_states.strides[0], batch)
            _compute_votes(trader.strategy, batch)
        index = _trade(trader, batch, max(resume_at[1], 0))
        if index < batch.delivery_count:
            resume_at[0], resume_at[1] = row, index
            return False
        resume_at[1] = -1
        sample(trader, last_ts)
    return True


@jitable
def _fetch(strategy: Any, vote_state_at: int, batch: Batch) -> None:
    """Prefetch a strategy's memory for the tokens of the deliveries, while earlier rows are advanced.

    In a small batch a strategy touches little memory and nearly all of it is uncached: the misses would dominate. A
    state may occupy the end of one cache line and the beginning of the next.
    """
    if batch.delivery_count > _FETCHED:
        return
    for gene in range(strategy.genes):
        prefetch(strategy.params[gene])
    for index in range(batch.delivery_count):
        slot = batch.deliveries[index].slot
        if slot >= 0:
            prefetch(vote_state_at + slot * _VOTE_STATE_SIZE)
            for gene in range(strategy.genes):
                state_at = strategy.states[gene] + slot * strategy.state_sizes[gene]
                prefetch(state_at)
                prefetch(state_at + strategy.state_sizes[gene] - 1)


@jitable
def _compute_votes(strategy: Any, batch: Batch) -> None:
    """Write the votes of all deliveries into ``batch.votes``, one row per gene."""
    room = batch.votes.shape[1]
    for gene in range(strategy.genes):
        which = strategy.subscription[gene]
        if batch.subscribed_counts[which] < batch.delivery_count:
            batch.votes[gene, : batch.delivery_count] = NO_VOTE
        _call_loop(
            strategy.code[gene], strategy.params[gene], strategy.states[gene], batch.events_at, batch.deliveries_at,
            batch.subscribed_at[which], batch.subscribed_counts[which], batch.votes_at + gene * room,
        )  # fmt: skip


@jitable
def _trade(trader: Trader, batch: Batch, index: int) -> int:
    """Advance one strategy from the delivery ``index``; return where it stopped for want of room, or the count."""
    strategy, account, vote_states = trader.strategy, trader.account, trader.vote_states
    single = strategy.genes == 1
    nth = 0
    while index < batch.delivery_count:
        if single and account.exposures == 0:
            nth = _next_entry(batch, strategy.subscription[0], nth, index)
            if nth < 0:
                return batch.delivery_count
            index = batch.subscribed[strategy.subscription[0], nth]
        if strategy.watched != 0 and len(trader.actions) - trader.written[0] < max_actions(trader.model.dead_after_ns):
            return index
        delivery = batch.deliveries[index]
        at, slot = batch.first + delivery.event, delivery.slot
        event = batch.events[at]
        if account.exposures > 0 and (account.next_due_ts < event.ts or account.next_sample_ts <= event.ts):
            process_due(trader, event.ts, batch.events[at - 1].seq if at > 0 else batch.last_seq)
        if slot >= 0 and delivery.own == 0 and not _is_subscribed(strategy, batch.votes, index):
            index = _last_of_event(batch, index)  # there are as many deliveries as tokens alive, and none counts
        elif slot >= 0:
            is_exposed = (
                vote_states[slot].incarnation == delivery.incarnation and vote_states[slot].exposure != NO_EXPOSURE
            )
            # The vote of a single gene need not be stored: it matters only at its own delivery.
            if is_exposed or not single or _is_entry(batch.votes[0, index]):
                has_voted = _take_votes(strategy, vote_states[slot], delivery.incarnation, batch.votes, index)
                if delivery.own == 0:
                    pass  # an event of the whole market triggers no decision by itself
                elif is_exposed:
                    on_event_while_exposed(trader, event, slot, batch.after[delivery.event], has_voted)
                elif (
                    has_voted
                    and account.capital_lamports > 0
                    and abs(score_of(strategy, vote_states[slot])) >= strategy.vote_threshold
                ):
                    sample(trader, event.ts)
                    try_entry(trader, event, slot, batch.after[delivery.event])
        index += 1
    return batch.delivery_count


@jitable
def _is_subscribed(strategy: Any, votes: Any, index: int) -> bool:
    """Return whether any gene has voted at a delivery."""
    voted = 0
    for gene in range(strategy.genes):
        voted += votes[gene, index] != NO_VOTE
    return voted > 0


@jitable
def _last_of_event(batch: Batch, index: int) -> int:
    """Return the index of the last delivery of the same event."""
    event = batch.deliveries[index].event
    while index + 1 < batch.delivery_count and batch.deliveries[index + 1].event == event:
        index += 1
    return index


@jitable
def _next_entry(batch: Batch, which: int, nth: int, index: int) -> int:
    """Return the position in its list of the next delivery at which a single gene votes for an entry, or -1."""
    subscribed, count = batch.subscribed[which], batch.subscribed_counts[which]
    while nth < count and (subscribed[nth] < index or not _is_entry(batch.votes[0, subscribed[nth]])):
        nth += 1
    return nth if nth < count else -1


@jitable
def _is_entry(vote: int) -> bool:
    return vote in (BUY, SHORT)


@jitable
def _take_votes(strategy: Any, vote_state: Any, incarnation: int, votes: Any, index: int) -> bool:
    """Store the votes of this delivery as standing votes; return whether any gene voted."""
    if vote_state.incarnation != incarnation:
        vote_state.incarnation = incarnation
        vote_state.exposure = NO_EXPOSURE
        for gene in range(strategy.genes):
            vote_state.votes[gene] = 0
    has_voted = False
    for gene in range(strategy.genes):
        if votes[gene, index] != NO_VOTE:
            vote_state.votes[gene] = votes[gene, index]
            has_voted = True
    return has_voted


@compiled
def equities(accounts: Any, exposures: Any, out: Any) -> None:
    """Write the equity of each strategy in lamports into ``out``, shape (population,)."""
    for row in range(len(accounts)):
        out[row] = equity_lamports(accounts[row], exposures[row])
