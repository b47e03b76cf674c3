"""The kernel: moves one strategy after the other over the turns of a batch; one compilation for all strategies.

First the genes speak: each family's compiled loop writes the vote of every turn that it hears. Then the strategy trades
on the votes. While it is exposed to nothing it only looks for the next vote that calls for an entry.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic

from memesnipe.compiled import compiled, jitable
from memesnipe.engine.actions import most_actions
from memesnipe.engine.decisions import on_event_while_exposed, score_of, try_entry
from memesnipe.engine.due import equity_lamports, pass_time, sample
from memesnipe.engine.layout import NO_EXPOSURE, SILENT
from memesnipe.sdk.strategy import BUY, SHORT


@intrinsic
def _speak(
    typing_context: Any, code: Any, params: Any, states: Any, events: Any, visits: Any, heard: Any, count: Any, votes: Any
) -> Any:  # fmt: skip
    """Call a family's loop (`memesnipe.sdk.families`) by its address; everything but ``count`` is an address too."""
    integers = [types.int64] * 8

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        from llvmlite import ir  # noqa: PLC0415 - only while compiling

        word, pointer = ir.IntType(64), ir.IntType(8).as_pointer()
        kinds = [pointer, pointer, pointer, pointer, pointer, word, pointer]
        loop = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), kinds).as_pointer())
        given = [builder.inttoptr(a, pointer) if k is pointer else a for a, k in zip(args[1:], kinds, strict=True)]
        builder.call(loop, given)
        return context.get_dummy_value()

    return types.void(*integers), generate


@compiled
def advance(
    terms: Any, accounts: Any, exposures: Any, heads: Any, model: Any, last_seq: int, events: Any, events_at: int,
    first: int, count: int, visits: Any, visits_at: int, turns: int, after: Any, heard: Any, heard_at: Any, heard_counts: Any,
    votes: Any, votes_at: int, returns: Any, first_sample_ts: int, actions: Any, written: Any, place: Any,
) -> bool:  # fmt: skip
    """Move every strategy over one batch of turns.

    Args:
        terms: and ``accounts``, shape (population,), the strategies.
        exposures: shape (population, MAX_EXPOSURES).
        heads: shape (population, slots).
        model: the `FillModel`.
        last_seq: of the event before the first of ``events``.
        events: dtype EVENT; ``events_at`` is the address of the one of number ``first``, and ``count`` of them are moved over.
        visits: dtype VISIT, the first ``turns`` of which are laid out; ``visits_at`` is their address.
        after: the market of each event's token behind it.
        heard: shape (lists, room): for each set of kinds the turns of those kinds; their addresses and counts beside it.
        votes: shape (MAX_GENES, room), i1, to work in; ``votes_at`` is its address.
        returns: shape (population, intervals), f4; filled from the interval that ends at ``first_sample_ts`` on.
        actions: what watched strategies do is written here.
        written: how much of it is, shape (1,).
        place: strategy and turn to go on at, shape (2,); (0, -1) at first. Genes that have spoken must not again.

    Returns:
        Whether it is done. If not, ``actions`` is full: empty it and call again.
    """
    last_ts = events[first + count - 1].ts
    room = votes.shape[1]
    for row in range(place[0], len(terms)):
        term = terms[row]
        if place[1] < 0:
            for gene in range(term.genes):
                which = term.hears[gene]
                if heard_counts[which] < turns:
                    votes[gene, :turns] = SILENT
                _speak(
                    term.code[gene], term.params[gene], term.states[gene], events_at, visits_at,
                    heard_at[which], heard_counts[which], votes_at + gene * room,
                )  # fmt: skip
        which = term.hears[0]
        turn = _trade(
            row, term, accounts[row], exposures[row], heads[row], model, last_seq, events, first, visits, max(place[1], 0), turns,
            after, votes, heard[which], heard_counts[which], returns, first_sample_ts, actions, written,
        )  # fmt: skip
        if turn < turns:
            place[0], place[1] = row, turn
            return False
        place[1] = -1
        sample(row, accounts[row], exposures[row], last_ts, returns, first_sample_ts)
    return True


@jitable
def _trade(
    row: int, term: Any, account: Any, exposures: Any, heads: Any, model: Any, last_seq: int, events: Any, first: int,
    visits: Any, turn: int, turns: int, after: Any, votes: Any, heard: Any, heard_count: int, returns: Any,
    first_sample_ts: int, actions: Any, written: Any,
) -> int:  # fmt: skip
    """Move one strategy over the turns from ``turn`` on; gives the one that it could not go over for want of room."""
    single = term.genes == 1
    nth = 0
    while turn < turns:
        if single and account.exposures == 0:
            # Nothing can happen before the next vote for an entry.
            while nth < heard_count and (heard[nth] < turn or not _is_entry(votes[0, heard[nth]])):
                nth += 1
            if nth == heard_count:
                return turns
            turn = heard[nth]
        if term.watched != 0 and len(actions) - written[0] < most_actions(model.dead_after_ns):
            return turn
        visit = visits[turn]
        at = first + visit.event
        event = events[at]
        if account.exposures > 0 and (account.next_due_ts < event.ts or account.next_sample_ts <= event.ts):
            seq = events[at - 1].seq if at > 0 else last_seq
            pass_time(
                row, term, account, exposures, heads, model, event.ts, seq, returns, first_sample_ts, actions, written
            )
        slot = visit.slot
        if slot >= 0:
            is_exposed = heads[slot].life == visit.life and heads[slot].exposure != NO_EXPOSURE
            # The vote of a single gene need not stand: it is only looked at when it is cast.
            if is_exposed or not single or _is_entry(votes[0, turn]):
                spoke = _take_votes(term, heads[slot], visit.life, votes, turn)
                if visit.own == 0:
                    pass  # an event of the whole market decides nothing
                elif is_exposed:
                    on_event_while_exposed(
                        row, term, account, exposures, heads, model, event, slot, after[visit.event], spoke, actions, written
                    )
                elif spoke and account.capital_lamports > 0 and abs(score_of(term, heads[slot])) >= term.needed:
                    sample(row, account, exposures, event.ts, returns, first_sample_ts)
                    try_entry(
                        row, term, account, exposures, heads, model, event, slot, after[visit.event], actions, written
                    )
        turn += 1
    return turns


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
