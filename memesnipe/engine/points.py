"""Points: the deliveries of a batch at which orders may be decided, and the votes that are known there.

An event of a token has one point, its own delivery; an event of the whole market has none. Everything here depends on
the batch and the sets of event kinds alone, so it is computed once for all genes and strategies.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from memesnipe.compiled import compiled

NO_POINT: Final = 2**31 - 1
FRESH: Final = -1  # the gene votes at the point
_EARLY: Final = -2  # and below: the last vote is from before the batch


class Points(NamedTuple):
    """The points of a batch. A set is a set of event kinds to which genes subscribe."""

    length: int
    own: Any  # shape (room,), i4: the index of each point's delivery
    following: Any  # shape (room,), i4: the next point of the same incarnation, or NO_POINT
    first_of: Any  # shape (slots,), i4: the first point of each slot, or NO_POINT
    subscribed: Any  # shape (sets, room), i4: the deliveries of each set
    subscribed_at: Any  # shape (sets,): address of each row; the same for the arrays below
    subscribed_counts: Any  # shape (sets,)
    fresh: Any  # shape (sets, words), i8: bits of the points at which genes of a set vote
    sources: Any  # shape (sets, room), i4: for each point FRESH, or the delivery of the last vote, or _EARLY - number
    stale: Any  # shape (sets, room), i4: the deliveries of the points at which the genes of a set do not vote
    stale_at: Any
    stale_sources: Any  # shape (sets, room), i4: the delivery of the last vote in this batch, or negative
    stale_sources_at: Any
    stale_counts: Any  # shape (sets,)


def points_of(deliveries: Any, count: int, masks: list[int], slots: int) -> Points:
    """Return the points of the first ``count`` deliveries; ``masks`` are the sets, ``slots`` the token slots."""
    sets, words = len(masks), -(-count // 64)
    own, following = np.empty(count, np.int32), np.empty(count, np.int32)
    first_of, last = np.empty(slots, np.int32), np.empty(slots, np.int32)
    subscribed, sources, stale, stale_sources = np.empty((4, sets, count), np.int32)
    fresh, counts = np.zeros((sets, words), np.int64), np.zeros((2, sets), np.int64)
    points = _find_own(deliveries, count, own, following, first_of)
    _find_sources(
        deliveries, count, np.array(masks, np.int64), subscribed, counts[0], fresh, sources, stale, stale_sources,
        counts[1], last,
    )  # fmt: skip
    rows = np.arange(sets) * (4 * count)
    at = (array.ctypes.data + rows for array in (subscribed, stale, stale_sources))
    subscribed_at, stale_at, stale_sources_at = at
    return Points(
        int(points), own, following, first_of, subscribed, subscribed_at, counts[0], fresh, sources,
        stale, stale_at, stale_sources, stale_sources_at, counts[1],
    )  # fmt: skip


@compiled
def _find_own(deliveries: Any, count: int, own: Any, following: Any, first_of: Any) -> int:
    """Fill the first three arrays of `Points`; return the number of points."""
    points = 0
    for index in range(count):
        if deliveries[index].own != 0:
            own[points] = index
            points += 1
    first_of[:] = NO_POINT
    for point in range(points - 1, -1, -1):
        delivery = deliveries[own[point]]
        after = first_of[delivery.slot]
        is_same = after != NO_POINT and deliveries[own[after]].incarnation == delivery.incarnation
        following[point] = after if is_same else NO_POINT
        first_of[delivery.slot] = point
    return points


@compiled
def _find_sources(
    deliveries: Any, count: int, masks: Any, subscribed: Any, subscribed_counts: Any, fresh: Any, sources: Any,
    stale: Any, stale_sources: Any, stale_counts: Any, last: Any,
) -> None:  # fmt: skip
    """Fill the arrays of `Points` that belong to the sets; ``last``, shape (slots,), i4, is work space."""
    for which in range(len(masks)):
        mask = masks[which]
        last[:] = -1
        point = voted = missed = early = 0
        for index in range(count):
            delivery = deliveries[index]
            slot = delivery.slot
            if slot < 0:
                continue
            if mask >> delivery.kind & 1:
                subscribed[which, voted] = index
                voted += 1
                last[slot] = index
                if delivery.own != 0:
                    sources[which, point] = FRESH
                    fresh[which, point >> 6] |= 1 << (point & 63)
            elif delivery.own != 0:
                source = last[slot]
                if source >= 0 and deliveries[source].incarnation == delivery.incarnation:
                    sources[which, point] = source
                else:
                    source = -1
                    sources[which, point] = _EARLY - early
                    early += 1
                stale[which, missed] = index
                stale_sources[which, missed] = source
                missed += 1
            point += delivery.own
        subscribed_counts[which] = voted
        stale_counts[which] = missed
