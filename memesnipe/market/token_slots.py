"""Token slots: the tokens alive and their market after every event; computed once for all strategies.

A token occupies a slot from its first event until it is dead, so memory is bounded by the tokens alive, not by all
tokens ever seen. Results do not depend on the slot numbers. An incarnation is one such period of a token in a slot.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.compiled import compiled, jitable
from memesnipe.market.events import Events
from memesnipe.market.pools import NO_POOL, set_pool
from memesnipe.market.state import MARKET, apply_event, sol_usd_after

# The delivery of one event to one token: its own, or each token alive if the event concerns the whole market.
DELIVERY: Final = np.dtype(
    [("event", "i4"), ("slot", "i4"), ("incarnation", "i4"), ("kind", "u1"), ("own", "u1"), ("", "u2")]
)

_END: Final = -1


@dataclass(slots=True)
class TokenSlots:
    """The slots with the incarnation in each; `slots[i].incarnation` is 0 if the slot was never used."""

    dead_after_ns: int
    slots: NDArray[Any]  # shape (capacity,), dtype MARKET
    # A doubly linked list of slots in order of their last event; `ends` has its first and last slot, the number of
    # incarnations, the number of slots ever used, and the number of the next event, counted from 1.
    older: NDArray[np.int32]
    newer: NDArray[np.int32]
    ends: NDArray[np.int64]
    slot_of_token: NDArray[np.int32]
    sol_usd: NDArray[np.float64]  # shape (1,): the last price of SOL, or 0

    @classmethod
    def none(cls, dead_after_ns: int, capacity: int = 64) -> "TokenSlots":
        """Return empty slots."""
        links = np.full(capacity, _END, np.int32)
        ends = np.array([_END, _END, 0, 0, 1])
        return cls(
            dead_after_ns, np.zeros(capacity, MARKET), links, links.copy(), ends, np.zeros(0, np.int32), np.zeros(1)
        )

    @property
    def capacity(self) -> int:
        """The number of slots."""
        return len(self.slots)

    @property
    def used(self) -> int:
        """The number of slots ever used."""
        return int(self.ends[3])

    def grow(self) -> None:
        """Double the number of slots."""
        more = self.capacity
        self.slots = np.concatenate([self.slots, np.zeros(more, MARKET)])
        self.older = np.concatenate([self.older, np.full(more, _END, np.int32)])
        self.newer = np.concatenate([self.newer, np.full(more, _END, np.int32)])

    def extend_index(self, events: Events) -> None:
        """Extend the index of tokens to all tokens of these events."""
        needed = int(events["token"].max(initial=-1)) + 1
        if needed > len(self.slot_of_token):
            more = np.full(max(needed, 2 * len(self.slot_of_token)), _END, np.int32)
            more[: len(self.slot_of_token)] = self.slot_of_token
            self.slot_of_token = more


@compiled
def deliver(
    events: Any, first: int, wide_kinds: int, dead_after_ns: int,
    slots: Any, older: Any, newer: Any, ends: Any, slot_of_token: Any, sol_usd: Any, deliveries: Any, after: Any,
) -> tuple[int, int]:  # fmt: skip
    """Lay out the deliveries of events from ``first`` on, until the events or the room end.

    Args:
        events: all events, shape (n,), dtype EVENT.
        first: index of the first event to lay out.
        wide_kinds: event kinds, as bits, to which some strategy subscribes; their events without a token are
            delivered to all tokens alive.
        dead_after_ns: how long after its last event a token is dead.
        slots: this and the arrays up to ``sol_usd`` are those of `TokenSlots`; updated in place.
        deliveries: output, shape (room,), dtype DELIVERY; ``event`` counts from ``first``.
        after: output, the market of each event's token after the event, shape (room,), dtype MARKET.

    Returns:
        The number of events laid out and of their deliveries. No event laid out means that more slots are needed.
    """
    count = 0
    for i in range(first, len(events)):
        event = events[i]
        here = i - first
        if here >= len(after) or count + 1 > len(deliveries):
            return here, count
        ts, kind, token = event.ts, event.kind, event.token
        sol_usd[0] = sol_usd_after(sol_usd[0], event)
        if token < 0:
            after[here].ts = ts
            previous = count
            _add_delivery(deliveries, count, here, -1, 0, kind, False)
            count += 1
            if wide_kinds >> kind & 1:
                slot = ends[1]
                while slot >= 0 and ts - slots[slot].ts <= dead_after_ns:
                    if count >= len(deliveries):
                        return here, previous
                    _add_delivery(deliveries, count, here, slot, slots[slot].incarnation, kind, False)
                    count += 1
                    slot = older[slot]
            continue
        slot = slot_of_token[token]
        if slot < 0:
            slot = _take_slot(ts - dead_after_ns, slots, older, newer, ends, slot_of_token)
            if slot < 0:
                return here, count
            slot_of_token[token] = slot
            _begin_incarnation(slots[slot], token, ts, ends)
        else:
            _unlink(slot, older, newer, ends)
            if ts - slots[slot].ts > dead_after_ns:
                _begin_incarnation(slots[slot], token, ts, ends)
        _append(slot, older, newer, ends)
        apply_event(slots[slot], event, sol_usd[0])
        after[here] = slots[slot]
        _add_delivery(deliveries, count, here, slot, slots[slot].incarnation, kind, True)
        count += 1
    return len(events) - first, count


@jitable
def _add_delivery(deliveries: Any, at: int, event: int, slot: int, incarnation: int, kind: int, own: bool) -> None:
    index = deliveries[at]
    index.event = event
    index.slot = slot
    index.incarnation = incarnation
    index.kind = kind
    index.own = own


@jitable
def _take_slot(dead_before_ts: int, slots: Any, older: Any, newer: Any, ends: Any, slot_of_token: Any) -> int:
    """Return the slot of the token dead for the longest time, else one never used, else -1."""
    oldest = ends[0]
    if oldest >= 0 and slots[oldest].ts < dead_before_ts:
        _unlink(oldest, older, newer, ends)
        slot_of_token[slots[oldest].token] = -1
        return oldest
    if ends[3] < len(slots):
        ends[3] += 1
        return ends[3] - 1
    return -1


@jitable
def _begin_incarnation(market: Any, token: int, ts: int, ends: Any) -> None:
    ends[2] += 1
    market.incarnation = ends[2]
    market.token = token
    market.born_ts = ts
    set_pool(market, NO_POOL)
    market.funding_ts = 0
    market.liquidity_usd = 0.0
    market.mark_usd = 0.0
    market.funding_rate = 0.0


@jitable
def _unlink(slot: int, older: Any, newer: Any, ends: Any) -> None:
    previous, after = older[slot], newer[slot]
    if previous >= 0:
        newer[previous] = after
    else:
        ends[0] = after
    if after >= 0:
        older[after] = previous
    else:
        ends[1] = previous


@jitable
def _append(slot: int, older: Any, newer: Any, ends: Any) -> None:
    last = ends[1]
    older[slot] = last
    newer[slot] = -1
    if last >= 0:
        newer[last] = slot
    else:
        ends[0] = slot
    ends[1] = slot
