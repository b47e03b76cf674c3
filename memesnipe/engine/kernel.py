"""The kernel: moves one strategy after the other over the turns of a batch; one compilation for all strategies.

First the genes speak: each family's compiled loop writes the vote of every turn that it hears. Then the strategy trades
on the votes. While it is exposed to nothing it only looks for the next vote that calls for an entry.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types

from memesnipe.compiled import compiled, intrinsic_of, jitable
from memesnipe.engine.actions import most_actions
from memesnipe.engine.decisions import on_event_while_exposed, score_of, try_entry
from memesnipe.engine.due import equity_lamports, pass_time, sample
from memesnipe.engine.fills import FillModel
from memesnipe.engine.layout import HEAD, NO_EXPOSURE, SILENT
from memesnipe.engine.memory import prefetch
from memesnipe.engine.trader import Batch, Trader
from memesnipe.sdk.strategy import BUY, SHORT

_AHEAD: Final = 3  # rows
_FETCHED: Final = 64  # turns
_HEAD_SIZE: Final = HEAD.itemsize


@intrinsic_of
def _speak(  # type: ignore[no-untyped-def]
    typing_context, code, params, states, events, visits, heard, count, votes  # noqa: ARG001 - numba's protocol
):  # fmt: skip
    """Call a family's loop (`memesnipe.sdk.loops`) by its address; everything but ``count`` is an address too."""
    integers = [types.int64] * 8

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        word, pointer = ir.IntType(64), ir.IntType(8).as_pointer()
        kinds = [pointer, pointer, pointer, pointer, pointer, word, pointer]
        loop = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), kinds).as_pointer())
        given = [builder.inttoptr(a, pointer) if k is pointer else a for a, k in zip(args[1:], kinds, strict=True)]
        builder.call(loop, given)
        return context.get_dummy_value()

    return types.void(*integers), generate


@compiled
def advance(
    terms: Any, accounts: Any, exposures: Any, heads: Any, heads_at: int, model: FillModel, batch: Batch, returns: Any,
    first_sample_ts: int, actions: Any, written: Any, place: Any,
) -> bool:  # fmt: skip
    """Move every strategy over one batch of turns.

    Args:
        terms: and ``accounts``, shape (population,); ``exposures``, shape (population, MAX_EXPOSURES); ``heads``, shape
            (population, slots): the strategies.
        heads_at: the address of ``heads``.
        model: how orders are filled.
        batch: the turns.
        returns: and the arguments up to ``written``: see `Trader`.
        place: strategy and turn to go on at, shape (2,); (0, -1) at first. Genes that have spoken must not again.

    Returns:
        Whether it is done. If not, ``actions`` is full: empty it and call again.
    """
    last_ts = batch.events[batch.first + batch.length - 1].ts
    for row in range(place[0], len(terms)):
        trader = Trader(
            row,
            terms[row],
            accounts[row],
            exposures[row],
            heads[row],
            model,
            returns,
            first_sample_ts,
            actions,
            written,
        )
        if place[1] < 0:
            if row + _AHEAD < len(terms):
                _fetch(terms[row + _AHEAD], heads_at + (row + _AHEAD) * heads.strides[0], batch)
            _let_genes_speak(trader.term, batch)
        turn = _trade(trader, batch, max(place[1], 0))
        if turn < batch.turns:
            place[0], place[1] = row, turn
            return False
        place[1] = -1
        sample(trader, last_ts)
    return True


@jitable
def _fetch(term: Any, head_at: int, batch: Batch) -> None:
    """Have what a strategy keeps of the tokens of the first turns on its way, while others are at work.

    In a small batch a strategy touches little, and nearly all of it is far away: waiting would take most of the time.
    """
    for gene in range(term.genes):
        prefetch(term.params[gene])
    for turn in range(min(batch.turns, _FETCHED)):
        slot = batch.visits[turn].slot
        if slot >= 0:
            prefetch(head_at + slot * _HEAD_SIZE)
            for gene in range(term.genes):
                prefetch(term.states[gene] + slot * term.state_sizes[gene])


@jitable
def _let_genes_speak(term: Any, batch: Batch) -> None:
    """Fill the votes of all turns, a row for each gene."""
    room = batch.votes.shape[1]
    for gene in range(term.genes):
        which = term.hears[gene]
        if batch.heard_counts[which] < batch.turns:
            batch.votes[gene, : batch.turns] = SILENT
        _speak(
            term.code[gene], term.params[gene], term.states[gene], batch.events_at, batch.visits_at,
            batch.heard_at[which], batch.heard_counts[which], batch.votes_at + gene * room,
        )  # fmt: skip


@jitable
def _trade(trader: Trader, batch: Batch, turn: int) -> int:
    """Move one strategy over the turns from ``turn`` on; gives the one that it could not go over for want of room."""
    term, account, heads = trader.term, trader.account, trader.heads
    single = term.genes == 1
    nth = 0
    while turn < batch.turns:
        if single and account.exposures == 0:
            nth = _next_entry(batch, term.hears[0], nth, turn)
            if nth < 0:
                return batch.turns
            turn = batch.heard[term.hears[0], nth]
        if term.watched != 0 and len(trader.actions) - trader.written[0] < most_actions(trader.model.dead_after_ns):
            return turn
        visit = batch.visits[turn]
        at, slot = batch.first + visit.event, visit.slot
        event = batch.events[at]
        if account.exposures > 0 and (account.next_due_ts < event.ts or account.next_sample_ts <= event.ts):
            pass_time(trader, event.ts, batch.events[at - 1].seq if at > 0 else batch.last_seq)
        if slot >= 0:
            is_exposed = heads[slot].life == visit.life and heads[slot].exposure != NO_EXPOSURE
            # The vote of a single gene need not stand: it is only looked at when it is cast.
            if is_exposed or not single or _is_entry(batch.votes[0, turn]):
                spoke = _take_votes(term, heads[slot], visit.life, batch.votes, turn)
                if visit.own == 0:
                    pass  # an event of the whole market decides nothing
                elif is_exposed:
                    on_event_while_exposed(trader, event, slot, batch.after[visit.event], spoke)
                elif spoke and account.capital_lamports > 0 and abs(score_of(term, heads[slot])) >= term.needed:
                    sample(trader, event.ts)
                    try_entry(trader, event, slot, batch.after[visit.event])
        turn += 1
    return batch.turns


@jitable
def _next_entry(batch: Batch, which: int, nth: int, turn: int) -> int:
    """The number, in its list, of the next turn at which a single gene calls for an entry; -1: there is none."""
    heard, count = batch.heard[which], batch.heard_counts[which]
    while nth < count and (heard[nth] < turn or not _is_entry(batch.votes[0, heard[nth]])):
        nth += 1
    return nth if nth < count else -1


@jitable
def _is_entry(vote: int) -> bool:
    return vote in (BUY, SHORT)


@jitable
def _take_votes(term: Any, head: Any, life: int, votes: Any, turn: int) -> bool:
    """Let what the genes say at this turn stand from now on; gives whether any of them spoke."""
    if head.life != life:
        head.life = life
        head.exposure = NO_EXPOSURE
        for gene in range(term.genes):
            head.votes[gene] = 0
    spoke = False
    for gene in range(term.genes):
        if votes[gene, turn] != SILENT:
            head.votes[gene] = votes[gene, turn]
            spoke = True
    return spoke


@compiled
def equities(accounts: Any, exposures: Any, worth: Any) -> None:
    """Write what each strategy is worth now, in lamports, into ``worth``, shape (population,)."""
    for row in range(len(accounts)):
        worth[row] = equity_lamports(accounts[row], exposures[row])
