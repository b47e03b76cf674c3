"""Lives of tokens: which are alive, and what each one's market was after every event; computed once for all strategies.

A token takes a slot at its first event and gives it back when it is dead, so memory follows the tokens alive and not
all that were ever seen. Nothing that a strategy does depends on which slot that is.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.compiled import compiled, jitable
from memesnipe.market.events import DEPTH, FUNDING, PRICE, Events
from memesnipe.market.pools import Pool

# One token's market, as of its last event. A pool with no tokens is one that nobody has traded in yet.
MARKET: Final = np.dtype(
    [
        ("ts", "i8"),
        ("born_ts", "i8"),
        ("sol_lamports", "i8"),
        ("token_raw", "i8"),
        ("real_sol_lamports", "i8"),
        ("real_token_raw", "i8"),
        ("supply_raw", "i8"),
        ("funding_ts", "i8"),
        ("liquidity_usd", "f8"),
        ("sol_usd", "f8"),
        ("mark_usd", "f8"),
        ("funding_rate", "f8"),
        ("incarnation", "i4"),
        ("token", "i4"),
        ("lp_fee_bps", "i8"),
        ("protocol_fee_bps", "i8"),
        ("creator_fee_bps", "i8"),
        ("venue", "i8"),
    ]
)

# One token's turn to hear of one event: itself, or one of those alive when the event concerns the whole market.
DELIVERY: Final = np.dtype(
    [("event", "i4"), ("slot", "i4"), ("incarnation", "i4"), ("kind", "u1"), ("own", "u1"), ("", "u2")]
)

_END: Final = -1


@dataclass(slots=True)
class TokenSlots:
    """The slots, and which life is in each. `slots[i].incarnation` is 0 where none ever was."""

    dead_after_ns: int
    slots: NDArray[Any]  # shape (capacity,), dtype MARKET
    # Slots in order of their last event, as a list with links both ways; and the first, the last, the count of lives,
    # and how many slots were ever used.
    older: NDArray[np.int32]
    newer: NDArray[np.int32]
    ends: NDArray[np.int64]
    slot_of_token: NDArray[np.int32]
    sol_usd: NDArray[np.float64]  # shape (1,): the last price of SOL that is known

    @classmethod
    def none(cls, dead_after_ns: int, capacity: int = 64) -> "TokenSlots":
        """No token seen yet."""
        links = np.full(capacity, _END, np.int32)
        ends = np.array([_END, _END, 0, 0])
        return cls(
            dead_after_ns, np.zeros(capacity, MARKET), links, links.copy(), ends, np.zeros(0, np.int32), np.zeros(1)
        )

    @property
    def capacity(self) -> int:
        """How many tokens fit at the moment."""
        return len(self.slots)

    def grow(self) -> None:
        """Make room for twice as many tokens."""
        more = self.capacity
        self.slots = np.concatenate([self.slots, np.zeros(more, MARKET)])
        self.older = np.concatenate([self.older, np.full(more, _END, np.int32)])
        self.newer = np.concatenate([self.newer, np.full(more, _END, np.int32)])

    def know_tokens(self, events: Events) -> None:
        """Make the index of tokens long enough for these events."""
        needed = int(events["token"].max(initial=-1)) + 1
        if needed > len(self.slot_of_token):
            more = np.full(max(needed, 2 * len(self.slot_of_token)), _END, np.int32)
            more[: len(self.slot_of_token)] = self.slot_of_token
            self.slot_of_token = more


@jitable
def recorded_pool(market: Any) -> Pool:
    """The pool of a MARKET record, or of any record with the same fields."""
    return Pool(
        market.venue,
        market.sol_lamports,
        market.token_raw,
        market.real_sol_lamports,
        market.real_token_raw,
        market.supply_raw,
        market.lp_fee_bps,
        market.protocol_fee_bps,
        market.creator_fee_bps,
    )


@compiled
def deliver(
    events: Any, first: int, wide_kinds: int, dead_after_ns: int,
    slots: Any, older: Any, newer: Any, ends: Any, slot_of_token: Any, sol_usd: Any, deliveries: Any, after: Any,
) -> tuple[int, int]:  # fmt: skip
    """Lay out the turns of events from ``first`` on, until they end or there is no room.

    Args:
        events: all events, shape (n,), dtype EVENT.
        first: the first one that is not laid out yet.
        wide_kinds: kinds, as bits, whose events without a token some strategy wants to hear.
        dead_after_ns: how long after its last event a token is dead.
        slots: and the arrays up to ``sol_usd``: those of `TokenSlots`, which this moves on.
        visits: filled here, shape (room,), dtype DELIVERY; ``event`` counts from ``first``.
        after: filled here: for each event the market of its token behind it, shape (room,), dtype MARKET.

    Returns:
        How many events were laid out, and in how many visits. Fewer than there is room for: more slots are needed.
    """
    count = 0
    for i in range(first, len(events)):
        event = events[i]
        here = i - first
        if here >= len(after) or count + 1 > len(deliveries):
            return here, count
        ts, kind, token = event.ts, event.kind, event.token
        if event.sol_usd > 0.0:
            sol_usd[0] = event.sol_usd
        if token < 0:
            after[here].ts = ts
            before = count
            _add(deliveries, count, here, -1, 0, kind, False)
            count += 1
            if wide_kinds >> kind & 1:
                slot = ends[1]
                while slot >= 0 and ts - slots[slot].ts <= dead_after_ns:
                    if count >= len(deliveries):
                        return here, before
                    _add(deliveries, count, here, slot, slots[slot].incarnation, kind, False)
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
        _see(slots[slot], event)
        slots[slot].sol_usd = sol_usd[0]
        after[here] = slots[slot]
        _add(deliveries, count, here, slot, slots[slot].incarnation, kind, True)
        count += 1
    return len(events) - first, count


@jitable
def _add(deliveries: Any, at: int, event: int, slot: int, incarnation: int, kind: int, own: bool) -> None:
    index = deliveries[at]
    index.event = event
    index.slot = slot
    index.incarnation = incarnation
    index.kind = kind
    index.own = own


@jitable
def _take_slot(dead_before_ts: int, slots: Any, older: Any, newer: Any, ends: Any, slot_of_token: Any) -> int:
    """The slot of the token that is dead longest, or one that was never used, or -1."""
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
    market.token_raw = 0
    market.sol_lamports = 0
    market.real_sol_lamports = 0
    market.real_token_raw = 0
    market.supply_raw = 0
    market.funding_ts = 0
    market.liquidity_usd = 0.0
    market.mark_usd = 0.0
    market.funding_rate = 0.0
    market.lp_fee_bps = 0
    market.protocol_fee_bps = 0
    market.creator_fee_bps = 0
    market.venue = 0


@jitable
def _see(market: Any, event: Any) -> None:
    """Take an event over."""
    market.ts = event.ts
    if event.kind == PRICE:
        market.venue = event.venue
        market.sol_lamports = event.pool_sol_lamports
        market.token_raw = event.pool_token_raw
        market.real_sol_lamports = event.real_sol_lamports
        market.real_token_raw = event.real_token_raw
        market.supply_raw = event.supply_raw
        market.lp_fee_bps = event.lp_fee_bps
        market.protocol_fee_bps = event.protocol_fee_bps
        market.creator_fee_bps = event.creator_fee_bps
        market.liquidity_usd = event.liquidity_usd
    elif event.kind == DEPTH:
        market.liquidity_usd = event.liquidity_usd
    elif event.kind == FUNDING:
        market.mark_usd = event.mark_usd
        market.funding_rate = event.rate
        market.funding_ts = event.ts


@jitable
def _unlink(slot: int, older: Any, newer: Any, ends: Any) -> None:
    before, behind = older[slot], newer[slot]
    if before >= 0:
        newer[before] = behind
    else:
        ends[0] = behind
    if behind >= 0:
        older[behind] = before
    else:
        ends[1] = before


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
