"""Votes: those of every gene at every point of a batch, computed once and packed at two bits a vote (compiled).

The two bits of a vote are the lowest and the highest of its byte: BUY is 01, SELL 11, SHORT 10 and HOLD 00. They lie in
two planes of 64 points a word. The checks of a strategy (`memesnipe.sdk.vote_values`) let no other number be returned.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types

from memesnipe.compiled import compiled, intrinsic_of, jitable
from memesnipe.engine.memory import prefetch
from memesnipe.engine.points import Points

_AHEAD: Final = 4  # genes between the one that votes and the one that is prefetched
_FETCHED: Final = 1_024  # deliveries of a batch whose states are prefetched; in a larger one the misses do not dominate
_WORD: Final = 64  # points


@intrinsic_of
def _call_loop(  # type: ignore[no-untyped-def]
    typing_context, code, params, states, events, deliveries, subscribed, count, votes, number, stale, sources,  # noqa: ARG001 - numba's protocol
    stale_count, numbers,  # noqa: ARG001
):  # fmt: skip
    """Call a family's loop (`memesnipe.sdk.loops`) by its address; arguments but numbers and counts are addresses."""
    words = (5, 7, 10)  # of the loop's arguments
    integers = [types.int64] * 13

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        word, pointer = ir.IntType(64), ir.IntType(8).as_pointer()
        kinds = [word if i in words else pointer for i in range(len(integers) - 1)]
        loop = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), kinds).as_pointer())
        typed = zip(args[1:], kinds, strict=True)
        builder.call(loop, [builder.inttoptr(arg, pointer) if kind is pointer else arg for arg, kind in typed])
        return context.get_dummy_value()

    return types.void(*integers), generate


@intrinsic_of
def _pack_word(typing_context, address):  # type: ignore[no-untyped-def]  # noqa: ARG001 - numba's protocol
    """Return the lowest and the highest bits of the 64 votes at an address."""
    bytes_, bits, word = ir.VectorType(ir.IntType(8), _WORD), ir.VectorType(ir.IntType(1), _WORD), ir.IntType(64)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        votes = builder.load(builder.inttoptr(args[0], bytes_.as_pointer()), align=1)
        sign = builder.ashr(votes, ir.Constant(bytes_, [7] * _WORD))
        packed = [builder.bitcast(builder.trunc(x, bits), word) for x in (votes, sign)]
        return context.make_tuple(builder, signature.return_type, packed)

    return types.UniTuple(types.int64, 2)(types.int64), generate


@compiled
def vote(
    genes: Any, first: int, stop: int, events_at: int, deliveries: Any, deliveries_at: int, delivery_count: int,
    number: int, points: Points, votes: Any, votes_at: int, numbers: Any, numbers_at: int, planes: Any,
) -> None:  # fmt: skip
    """Compute and pack the votes of the genes from ``first`` before ``stop``.

    Args:
        genes: shape (genes,), dtype GENE.
        first: see above.
        stop: see above.
        events_at: address of the batch's first event.
        deliveries: of the batch, dtype DELIVERY.
        deliveries_at: their address.
        delivery_count: number of deliveries in use.
        number: of the batch's first event.
        points: of the batch.
        votes: work space, shape (2, room), i1, with room for whole words; 0 beyond the deliveries.
        votes_at: address of ``votes``.
        numbers: output, shape (genes, early votes), i8: the numbers of the events of votes from before the batch.
        numbers_at: address of ``numbers``.
        planes: output, shape (genes, 2, words), i8.
    """
    is_dense = points.length == delivery_count
    for gene in range(first, stop):
        if gene + _AHEAD < stop and delivery_count <= _FETCHED:
            _fetch(genes[gene + _AHEAD], deliveries, delivery_count)
        record = genes[gene]
        if record.code == 0:
            continue
        which = record.subscription
        _call_loop(
            record.code, record.params, record.states, events_at, deliveries_at, points.subscribed_at[which],
            points.subscribed_counts[which], votes_at, number, points.stale_at[which], points.stale_sources_at[which],
            points.stale_counts[which], numbers_at + gene * numbers.strides[0],
        )  # fmt: skip
        if not is_dense:
            _gather(votes, points)
        _pack(votes_at if is_dense else votes_at + votes.strides[0], planes[gene])


@jitable
def _fetch(gene: Any, deliveries: Any, delivery_count: int) -> None:
    """Prefetch a gene's memory for the tokens of the deliveries, while earlier genes vote.

    In a batch of up to about as many deliveries as there are tokens, a gene touches most states once and nearly all of
    them are uncached: the misses would dominate. A state may occupy the end of one cache line and the beginning of the
    next.
    """
    prefetch(gene.params)
    for index in range(delivery_count):
        slot = deliveries[index].slot
        if slot >= 0:
            state_at = gene.states + slot * gene.state_size
            prefetch(state_at)
            prefetch(state_at + gene.state_size - 1)


@jitable
def _gather(votes: Any, points: Points) -> None:
    """Copy the votes at points, without those at deliveries of events of the whole market, into the second row."""
    for point in range(points.length):
        votes[1, point] = votes[0, points.own[point]]


@jitable
def _pack(votes_at: int, planes: Any) -> None:
    """Pack the votes at an address into the two planes."""
    for word in range(planes.shape[1]):
        planes[0, word], planes[1, word] = _pack_word(votes_at + _WORD * word)
